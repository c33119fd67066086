const PLACE = /\{\{([\w.]+)\}\}/g

/**
 * Puts texts into a page's source: `{{page.tagline}}` is the text of that name.
 *
 * @throws Error where there is none of that name
 */
export const withTexts = (html: string, texts: object): string =>
  html.replaceAll(PLACE, (place, name: string) => {
    const found = name.split('.').reduce<unknown>((at, key) => Reflect.get(Object(at), key), texts)
    if (typeof found !== 'string') throw new Error(`No text for ${place}`)
    return escaped(found)
  })

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
