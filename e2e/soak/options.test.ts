import { expect, test } from 'vitest'
import { OptionError, soakOptions } from './options.ts'

test('what was asked for is what is done, and nothing asked for has its default', () => {
  const asked = ['--kills', '200', '--seed', '1', '--minutes', '5', '--json']
  expect(soakOptions(asked, 0)).toEqual({ kills: 200, seed: 1, minutes: 5, quiet: true })
  expect(soakOptions([], 1_234)).toEqual({ kills: 50, seed: 1_234, minutes: 60, quiet: false })
  expect(soakOptions(['--help'], 0)).toBe('help')
})

test.each([
  [['--kills', '0'], /--kills takes a whole number from 1/],
  [['--kills', 'many'], /not "many"/],
  [['--seed', '-1'], /--seed/],
  [['--seed', '4294967296'], /--seed takes a whole number from 0 to 4294967295/],
  [['--minutes', '1.5'], /--minutes takes a whole number/],
  [['--kill', '3'], /--help lists the options/],
  [['200'], /--help lists the options/],
])('%j is refused, and the message says what can be asked for', (args, message) => {
  expect(() => soakOptions(args, 0)).toThrow(OptionError)
  expect(() => soakOptions(args, 0)).toThrow(message)
})
