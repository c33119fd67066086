/** Any JSON that may stand where another is expected, as text: no type, size, name or depth of it is sure. */
export const ODD_JSON: readonly string[] = [
  'null',
  'true',
  '-1',
  '1.5',
  '1e300',
  '""',
  '" "',
  '"12"',
  '"0x"',
  '[]',
  '{}',
  '[null]',
  '["0x12"]',
  '{"length":5}',
  '{"__proto__":1}',
  '{"toString":1}',
  '{"then":1}',
  '{"toJSON":1}',
  '[{"toString":null}]',
  '"toString"',
  '"__proto__"',
  `"${'x'.repeat(50_000)}"`,
  `"${'nonsense '.repeat(5_000)}"`,
  '"\\u0000\\ud800"',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
]

/** Stands instead of a member until its text does. */
const HERE = '@here'

/** The JSON, as text, once for each of its members, however deep, and for all of it: with another in that one's place. */
export function withEachMember(json: string): ((other: string) => string)[] {
  const holed: string[] = []
  const walk = (value: unknown, around: (inner: unknown) => unknown) => {
    holed.push(JSON.stringify(around(HERE)))
    if (typeof value !== 'object' || value === null) return
    for (const [key, member] of Object.entries(value))
      walk(member, (inner) =>
        around(Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner }),
      )
  }
  walk(JSON.parse(json), (inner) => inner)
  return holed.map((text) => (other) => text.replace(`"${HERE}"`, () => other))
}
