import { icon } from '../elements/icon.ts'

export { icon, setIcon, type IconName } from '../elements/icon.ts'

const COPY =
  'M7.2 5.6h4.4a1.6 1.6 0 0 1 1.6 1.6v4.4a1.6 1.6 0 0 1 -1.6 1.6h-4.4a1.6 1.6 0 0 1 -1.6 -1.6v-4.4a1.6 1.6 0 0 1 1.6 -1.6ZM10.4 5.4V4A1.6 1.6 0 0 0 8.8 2.4H4A1.6 1.6 0 0 0 2.4 4v4.8A1.6 1.6 0 0 0 4 10.4h1.4'

/** Two sheets, one over the other: only the demo has something to copy. */
export function copyIcon(): SVGSVGElement {
  const svg = icon('dot')
  svg.firstElementChild?.setAttribute('d', COPY)
  svg.dataset['icon'] = 'copy'
  return svg
}
