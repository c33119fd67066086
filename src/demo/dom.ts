export { button, h, keyedList, setAttributes, setText, type View } from '../elements/dom.ts'

/** Gives an element other children, however many: a browser takes some 100,000 arguments at most. */
export function replaceAll(element: Element, children: readonly Node[]): void {
  const all = document.createDocumentFragment()
  for (const child of children) all.append(child)
  element.replaceChildren(all)
}

/** The element with this id, which the page must have. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} with the id ${id}`)
  return element
}
