/** The symbols at the top of `index.html`. */
export type IconName =
  'check' | 'clock' | 'up' | 'link' | 'alert' | 'pause' | 'dot' | 'copy' | 'cross' | 'chevron'

const SVG = 'http://www.w3.org/2000/svg'

/** A decorative icon: always next to words that say the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(SVG, 'use')
  use.setAttribute('href', `#icon-${name}`)
  svg.append(use)
  return svg
}

/** Swaps the symbol of an icon. */
export function setIcon(svg: SVGSVGElement, name: IconName): void {
  svg.firstElementChild?.setAttribute('href', `#icon-${name}`)
}
