import { expect, test } from 'vitest'
import { collect, type Bytes } from './exchange.ts'
import { BadForm, formParts } from './multipart.ts'

const TYPE = 'multipart/form-data; boundary="--x"'
const FORM =
  '----x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: text/plain\r\n\r\n' +
  'one\r\n--not the boundary\r\n' +
  '\r\n----x\r\n\r\ntwo\r\n----x--\r\nepilogue'

async function* cut(text: string, size: number): Bytes {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string, size: number, type = TYPE) {
  const parts: [string | undefined, string][] = []
  for await (const { filename, content } of formParts(type, cut(text, size))) {
    parts.push([filename, (await collect(content)).toString()])
  }
  return parts
}

test.each([1, 2, 3, 7, 64, 10_000])(
  'reads the parts of a form that arrives in pieces of %i bytes',
  async (size) => {
    expect(await read(FORM, size)).toEqual([
      ['a', 'one\r\n--not the boundary\r\n'],
      [undefined, 'two'],
    ])
  },
)

test('skips a part that nobody reads', async () => {
  const names: (string | undefined)[] = []
  for await (const { filename } of formParts(TYPE, cut(FORM, 5))) names.push(filename)
  expect(names).toEqual(['a', undefined])
})

test('refuses a form that ends anywhere before its last delimiter', async () => {
  const end = FORM.lastIndexOf('----x--') + '----x--'.length
  for (let length = 0; length < end; length += 1) {
    await expect(read(FORM.slice(0, length), 16), `${length} bytes`).rejects.toThrow(BadForm)
  }
})

test('refuses what is no form', async () => {
  await expect(read(FORM, 16, 'application/json')).rejects.toThrow(BadForm)
})
