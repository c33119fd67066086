/** Lines in a square of 16 by 16. */
const PATHS = {
  check: 'm3 8.5 3.2 3.2L13 4.8',
  clock: 'M2.2 8a5.8 5.8 0 1 1 11.6 0a5.8 5.8 0 1 1 -11.6 0ZM8 4.8V8l2.2 1.6',
  up: 'M8 13V3.4M3.8 7.4 8 3.2l4.2 4.2',
  link: 'M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.4 6.6a2.6 2.6 0 0 0-3.7 0L3.5 8.8a2.6 2.6 0 0 0 3.7 3.7l.9-.9',
  alert: 'M8 2.4 14.4 13.4H1.6ZM8 6.6v3M8 11.4v.1',
  pause: 'M5.4 3.6v8.8M10.6 3.6v8.8',
  dot: 'M4 8a4 4 0 1 1 8 0a4 4 0 1 1 -8 0Z',
  cross: 'm4 4 8 8M12 4l-8 8',
  chevron: 'm6 3.6 4.4 4.4L6 12.4',
} as const

export type IconName = keyof typeof PATHS

const SVG = 'http://www.w3.org/2000/svg'

/** A decorative icon: always next to words that say the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('aria-hidden', 'true')
  svg.append(document.createElementNS(SVG, 'path'))
  setIcon(svg, name)
  return svg
}

/** Swaps what an icon shows. */
export function setIcon(svg: SVGSVGElement, name: IconName): void {
  svg.firstElementChild?.setAttribute('d', PATHS[name])
  svg.dataset['icon'] = name
}
