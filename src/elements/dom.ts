type Child = Node | string | undefined
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Makes an element; attributes that are `undefined` or `false` are left out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  setAttributes(element, attributes)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** Sets attributes, touching only what changed; `undefined` and `false` remove one. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const next = value === undefined || value === false ? null : value === true ? '' : String(value)
    if (element.getAttribute(name) === next) continue
    if (next === null) element.removeAttribute(name)
    else element.setAttribute(name, next)
  }
}

/** Sets an element's text, if it is another. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** A button with a visible label; `name` is what a screen reader says when the label alone is ambiguous. */
export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = h('button', { type: 'button', ...attributes }, label)
  element.addEventListener('click', onClick)
  return element
}

/** A piece of the page for one item. */
export interface View<Item> {
  readonly element: HTMLElement
  update(item: Item): void
}

/**
 * Keeps a list's children in step with items by key, so that focus, open details and a playing video stay.
 *
 * @returns the function to call with each new list; with `from`, those before it are the same as at the last call
 */
export function keyedList<Item>(
  list: HTMLElement,
  keyOf: (item: Item) => string,
  create: (item: Item) => View<Item>,
): (items: readonly Item[], from?: number) => void {
  const views = new Map<string, View<Item>>()
  return (items, from = 0) => {
    const keys = new Set(items.map(keyOf))
    const { activeElement } = list.getRootNode() as Document | ShadowRoot
    for (const [key, view] of views) {
      if (keys.has(key)) continue
      // Whoever pressed something of it goes on from the list, which a script can focus.
      const hadFocus = view.element.contains(activeElement)
      view.element.remove()
      views.delete(key)
      if (hadFocus) list.focus()
    }
    let place = list.children[from] ?? null
    for (const item of items.slice(from)) {
      const key = keyOf(item)
      const view = views.get(key) ?? create(item)
      const { element } = view
      views.set(key, view)
      view.update(item)
      // Moved, it would lose the focus: what is before it moves behind it.
      while (place && place !== element && element.contains(activeElement)) {
        const next: Element | null = place.nextElementSibling
        element.after(place)
        place = next
      }
      if (element === place) place = element.nextElementSibling
      else list.insertBefore(element, place)
    }
  }
}
