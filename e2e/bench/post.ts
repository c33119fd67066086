/** Tells the bench's server. */
export const post = (path: string, body: unknown = {}) =>
  fetch(path, { method: 'POST', body: JSON.stringify(body) })
