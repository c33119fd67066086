export { button, h, keyedList, setAttributes, setText, type View } from '../elements/dom.ts'

/** The element with this id, which the page must have. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} with the id ${id}`)
  return element
}
