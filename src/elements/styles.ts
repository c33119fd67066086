/** Colours are custom properties of the page, --holdfast-…: docs/guide.md lists them. */
const COLOURS = {
  surface: ['#ffffff', '#161e1b'],
  sunk: ['#eaf0ed', '#1f2a26'],
  ink: ['#12201b', '#e9f0ed'],
  soft: ['#51625b', '#a3b4ad'],
  line: ['#d7e0dc', '#2a3631'],
  'line-strong': ['#7b8c85', '#70827a'],
  accent: ['#0c6a52', '#62cfa6'],
  'accent-ink': ['#ffffff', '#06231a'],
  good: ['#0c6a52', '#62cfa6'],
  busy: ['#1f5fa8', '#8abaf2'],
  'busy-bar': ['#8fb6e3', '#3d6a9d'],
  wait: ['#815300', '#eebf66'],
  alert: ['#ab2323', '#ff9d95'],
  'alert-soft': ['#fce8e6', '#3d1c1a'],
} as const

/** With names of their own inside: what is slotted inherits them, and may have its own. */
const coloursOf = (theme: 0 | 1) =>
  Object.entries(COLOURS)
    .map(([name, values]) => `--hf-${name}: var(--holdfast-${name}, ${values[theme]});`)
    .join('')

/** Tones and their colours. */
const TONES = {
  good: 'good',
  busy: 'busy',
  waiting: 'wait',
  alert: 'alert',
  recording: 'alert',
  quiet: 'soft',
} as const

/** Of what is inside, and of an element itself; a page has no `:host`. */
const tones = Object.entries(TONES)
  .map(([tone, colour]) => {
    const toned = `[data-tone='${tone}']`
    return `${toned}, :host(${toned}) { --tone: var(--hf-${colour}); }`
  })
  .join('')

/** What pages of ours have in common with the elements: controls, notices, icons, tones. */
const SHARED = `
[hidden], :host([hidden]) { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.icon {
  flex: none;
  width: 1.125em;
  height: 1.125em;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.7;
  stroke-linecap: round;
  stroke-linejoin: round;
}
.icon[data-icon='dot'] { fill: currentColor; }
button {
  position: relative;
  min-height: 2.75rem;
  padding: 0.5rem 1rem;
  border: 1px solid var(--hf-line-strong);
  border-radius: 0.625rem;
  background: var(--hf-surface);
  color: inherit;
  font: inherit;
  font-weight: 550;
  line-height: 1.25;
  cursor: pointer;
}
button:hover:not(:disabled) { background: var(--hf-sunk); }
button:disabled { opacity: 0.5; cursor: not-allowed; }
button.primary { border-color: transparent; background: var(--hf-accent); color: var(--hf-accent-ink); }
button.primary:hover:not(:disabled) {
  background: color-mix(in srgb, var(--hf-accent) 88%, var(--hf-ink));
}
button.plain { border-color: transparent; background: none; }
button.icon-button {
  display: grid;
  place-items: center;
  flex: none;
  width: 2.75rem;
  margin: -0.625rem -0.75rem -0.625rem auto;
  padding: 0;
}
:focus-visible { outline: 3px solid var(--hf-accent); outline-offset: 2px; }
.notice {
  display: flex;
  flex-wrap: wrap;
  align-items: start;
  gap: 0.75rem;
  padding: 0.75rem 1rem;
  border-radius: 0.75rem;
  font-size: 0.9375rem;
}
.notice p { flex: 1 1 12rem; min-width: 0; }
.notice-alert { background: var(--hf-alert-soft); color: var(--hf-alert); }
.notice button:not(.plain) { border-color: currentColor; }
.notice button.plain:hover { background: color-mix(in srgb, currentColor 12%, transparent); }
${tones}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
`

/** What opens at a click. */
export const DETAILS = `
summary {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  min-height: 2.75rem;
  border-radius: 0.5rem;
  font-size: 0.9375rem;
  font-weight: 550;
  list-style: none;
  cursor: pointer;
}
summary::-webkit-details-marker { display: none; }
summary .icon { color: var(--hf-soft); transition: transform 0.15s; }
details[open] > summary .icon { transform: rotate(90deg); }
`

/** All that, and the colours, for a whole page: the demo's build puts it into its sheet (`vite.config.ts`). */
export const ofPage = (): string => `
:root { ${coloursOf(0)} --hf-radius: 1rem; }
@media (prefers-color-scheme: dark) {
  :root { ${coloursOf(1)} }
}
${SHARED}${DETAILS}`

/** Light and dark, controls, and what all elements have. */
export const COMMON = `
:host {
  ${coloursOf(0)}
  --hf-radius: var(--holdfast-radius, 1rem);
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 0.625rem;
  min-width: 0;
  color: var(--hf-ink);
  line-height: 1.5;
}
@media (prefers-color-scheme: dark) {
  :host { ${coloursOf(1)} }
}
h1, h2, h3, h4, h5, h6, p, ul, dl, dd { margin: 0; padding: 0; font-size: inherit; }
.when, .bar-words {
  color: var(--hf-soft);
  font-size: 0.875rem;
  font-variant-numeric: tabular-nums;
  line-height: 1.4;
}
.needs { font-size: 0.9375rem; line-height: 1.4; }
${SHARED}
`

/** Its height is the same whatever there is to say, so that nothing moves under a thumb. */
export const RECOVERY = `
:host { container-type: inline-size; }
.recovery {
  padding: 0.75rem 1rem 0.25rem;
  border: 1px solid var(--hf-line);
  border-radius: var(--hf-radius);
  background: var(--hf-surface);
}
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.25rem 0.75rem; }
.figures > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dd {
  font-size: 1.25rem;
  font-weight: 650;
  font-variant-numeric: tabular-nums;
  line-height: 1.3;
}
.figures dt { min-height: 1lh; color: var(--hf-soft); font-size: 0.8125rem; line-height: 1.3; }
@container (min-width: 27.5rem) {
  .figures { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.5rem; }
  .figures dt { min-height: 2lh; }
}
.urgent {
  display: flex;
  align-items: center;
  gap: 0.75rem;
  min-height: 4.5rem;
  padding: 0.25rem 0;
  font-size: 0.875rem;
  line-height: 1.3;
}
.urgent p { flex: 1; }
.urgent button { flex: none; max-width: 38%; padding-inline: 0.75rem; }
@container (max-width: 13rem) {
  .figures { grid-template-columns: 1fr; }
  .urgent { flex-wrap: wrap; }
  .urgent p { flex-basis: 100%; }
  .urgent button { max-width: 100%; }
}
.invisible { visibility: hidden; }
ul {
  max-height: 15rem;
  margin: 0 -1rem;
  padding: 0 1rem;
  overflow: auto;
  overscroll-behavior: contain;
  border-radius: 0.5rem;
  list-style: none;
}
ul:focus-visible { outline-offset: -3px; }
.notice ul { margin: 0.25rem 0 0; padding: 0; }
details li {
  display: grid;
  grid-template-columns: auto minmax(0, 1fr) auto;
  align-items: center;
  gap: 0.75rem;
  min-height: 2.75rem;
  padding: 0.625rem 0;
}
details li + li { border-top: 1px solid var(--hf-line); }
details li > .icon { align-self: start; margin-top: 2px; color: var(--tone, var(--hf-soft)); }
`

/** One recording. It has a surface, since its page may be light where the system is dark. */
export const STATUS = `
:host { background: var(--hf-surface); }
.headline {
  display: inline-flex;
  align-items: center;
  gap: 0.5rem;
  color: var(--tone, inherit);
  font-size: 1rem;
  font-weight: 650;
  line-height: 1.3;
}
.bar, progress {
  height: 0.5rem;
  overflow: hidden;
  border-radius: 0.25rem;
  background: var(--hf-sunk);
  box-shadow: inset 0 0 0 1px var(--hf-line);
}
.bar { display: flex; }
.bar span { transition: width 0.3s; }
.bar-confirmed { background: var(--hf-good); }
.bar-stored {
  background: repeating-linear-gradient(
    -45deg,
    var(--hf-busy-bar) 0 5px,
    color-mix(in srgb, var(--hf-busy-bar) 65%, var(--hf-surface)) 5px 8px
  );
}
.upload { display: grid; gap: 0.375rem; }
progress { display: block; width: 100%; border: 0; appearance: none; }
progress::-webkit-progress-bar { background: none; }
progress::-webkit-progress-value { background: var(--hf-busy); }
progress::-moz-progress-bar { background: var(--hf-busy); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; }
.actions > button { padding-inline: 0.625rem; font-size: 0.9375rem; }
`

/**
 * Dark in both themes, as a viewfinder is. It shows all that is recorded, and nothing else; captions lie over the picture,
 * above the buttons wherever these are, so that what is said while something is recorded is in sight, and moves nothing.
 */
export const RECORDER = `
.camera {
  overflow: hidden;
  border: 1px solid var(--hf-line);
  border-radius: 1.25rem;
  background: #0a100e;
  color: #f1f6f4;
}
.viewfinder {
  position: relative;
  display: grid;
  place-items: center;
  aspect-ratio: 4 / 3;
  max-height: 52vh;
  width: 100%;
  overflow: hidden;
  background: radial-gradient(circle at 50% 40%, #1b2924, #0f1714 75%);
}
.viewfinder video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.hint { max-width: 30ch; padding: 1.5rem; color: #b6c7c0; text-align: center; text-wrap: balance; }
.captions { position: absolute; inset: auto 0 100%; display: grid; gap: 1px; max-height: 40vh; overflow: auto; }
.caption {
  padding: 0.5rem 0.875rem;
  background: #0a100e;
  color: #f6dfae;
  font-size: 0.875rem;
  line-height: 1.4;
}
p:empty { display: none; }
.caption-alert { background: #8f1b1b; color: #fff; font-weight: 600; }
.badge {
  position: absolute;
  top: 0.75rem;
  left: 0.75rem;
  padding: 3px 0.625rem;
  border-radius: 99px;
  background: #eebf66;
  color: #241a04;
  font-size: 0.8125rem;
  font-weight: 650;
}
.controls {
  display: grid;
  grid-template-columns: 1fr auto 1fr;
  align-items: center;
  position: relative;
  padding: 0.875rem 1.25rem 0.75rem;
  background: #0a100e;
}
.timer, .acks {
  align-self: start;
  line-height: min(4.75rem, 26vw);
  font-size: min(1.125rem, 7vw);
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}
.timer { grid-column: 1; color: #ff9d95; }
.acks { grid-column: 3; justify-self: end; color: #7fe0b8; }
.acks:not([data-waiting='0']) { color: #eebf66; }
.shutter, .shutter:hover:not(:disabled) {
  grid-column: 2;
  display: grid;
  justify-items: center;
  gap: 0.375rem;
  min-width: min(5.5rem, 28vw);
  padding: 0.25rem 0.5rem;
  border: 0;
  border-radius: 1rem;
  background: none;
  color: inherit;
  font-size: min(0.9375rem, 7vw);
}
.shutter:focus-visible { outline-color: #62cfa6; }
.shutter-ring {
  display: grid;
  place-items: center;
  width: min(4.25rem, 24vw);
  aspect-ratio: 1;
  border: 4px solid currentColor;
  border-radius: 50%;
}
.shutter-ring::before {
  content: '';
  width: 86%;
  aspect-ratio: 1;
  border-radius: 50%;
  background: #e5382f;
  transition: transform 0.15s, border-radius 0.2s;
}
.shutter:hover:not(:disabled) .shutter-ring::before { background: #f2564c; }
.shutter:active .shutter-ring::before { transform: scale(0.92); }
#stop .shutter-ring::before { width: 46%; border-radius: 6px; }
`
