import { encode } from 'uqr'

const SVG = 'http://www.w3.org/2000/svg'

/** White around a code, in modules: readers find it by that (ISO/IEC 18004, 5.3.8). */
const QUIET_ZONE = 4

/** A text as a picture that a camera reads; dark on white in either theme. @param label what it is, in words */
export function qrCode(text: string, label: string): SVGSVGElement {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE })
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`)
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', label)
  svg.setAttribute('shape-rendering', 'crispEdges')
  const path = document.createElementNS(SVG, 'path')
  const modules = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
  path.setAttribute('d', modules.join(''))
  svg.append(path)
  return svg
}
