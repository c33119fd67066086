import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Group } from './api.ts'
import { groupIdOf, groupOf, newGroup } from './group.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })

describe('a group', () => {
  it('has a public key that belongs to its private one', async () => {
    const bob = Uint8Array.from(
      Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex'),
    )
    // RFC 7748 §6.1
    expect((await groupOf(bob)).publicKey).toBe(
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    )
  })

  it('is a new one each time, and found again by its private key', async () => {
    const [one, two] = [await newGroup(), await newGroup()]
    expect(one.publicKey).not.toBe(two.publicKey)
    expect(one.privateKey).toHaveLength(32)
    expect(await groupOf(one.privateKey)).toEqual(one)
  })

  it('has the id of the format, which its public key alone makes', async () => {
    const { publicKey } = await newGroup()
    const id = createHash('sha256').update('holdfast/group/v2').update(Buffer.from(publicKey, 'hex'))
    expect(await groupIdOf({ publicKey })).toBe(`0x${id.digest('hex')}`)
  })

  it.each([0, 31, 33, 64])('is of no private key of %s bytes', async (length) => {
    await expect(groupOf(new Uint8Array(length))).rejects.toThrow(badInput)
  })

  it.each([undefined, null, 'a text of thirty-two characters!', Array(32).fill(1), new ArrayBuffer(32)])(
    'is of no private key that is %s',
    async (key) => {
      await expect(groupOf(key as never)).rejects.toThrow(badInput)
    },
  )

  it.each([undefined, null, 'ab'.repeat(32), {}])('has no id of %s', async (group) => {
    await expect(groupIdOf(group as Group)).rejects.toThrow(badInput)
  })

  it.each(['', 'ab', 'AB'.repeat(32), 'ag'.repeat(32), `0x${'ab'.repeat(32)}`, 'ab'.repeat(33)])(
    'has no id by the public key %s',
    async (publicKey) => {
      await expect(groupIdOf({ publicKey })).rejects.toThrow(badInput)
    },
  )
})
