/** The page of whoever waits for the recordings: the key is in the fragment, which no server is sent. */
export const readerLink = (key: string): string => new URL(`/read.html#key=${key}`, location.href).href

/** The key of a link to the reader; any other text as it is. */
export const keyOfLink = (text: string): string => /#key=([\w-]+)\s*$/.exec(text)?.[1] ?? text
