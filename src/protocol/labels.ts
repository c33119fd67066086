/**
 * What an app tells its store of a session, in clear: names of 1 to 64 letters, digits, `_`, `.` and `-`, each with a
 * text; as JSON at most 1,024 characters.
 */
export type Labels = Readonly<Record<string, string>>

export const isLabels = (value: unknown): value is Labels =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([name, text]) => /^[\w.-]{1,64}$/.test(name) && typeof text === 'string') &&
  JSON.stringify(value).length <= 1_024
