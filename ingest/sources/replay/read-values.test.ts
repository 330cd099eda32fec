import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNumber, SymbolReader, TimeReader } from './read-values.ts'

const number = (text: string) => readNumber(Buffer.from(`<${text}>`), 1, Buffer.byteLength(text) + 1)
const time = (text: string, reader = new TimeReader()) =>
  reader.read(Buffer.from(`<${text}>`), 1, Buffer.byteLength(text) + 1)

describe('numbers of a tape', () => {
  test('any decimal is the very double that JavaScript reads', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: 0, max: 20 }))
      .map(([digits, decimals]) => {
        const text = digits.toString().padStart(decimals + 1, '0')
        return decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`
      })
    fc.assert(
      fc.property(decimal, (text) => {
        expect(number(text)).toBe(Number(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['-5.25', -5.25],
    ['+1', 1],
    ['1e3', 1000],
    ['.5', 0.5],
    ['5.', 5],
    ['0', 0],
  ])('%s is a number', (text, value) => {
    expect(number(text)).toBe(value)
  })

  test.each([
    '',
    '.',
    '-',
    'abc',
    'NaN',
    'Infinity',
    '0x10',
    '1_000',
    '1,5',
    ' 1',
    '1 ',
    '1.2.3',
    '1e',
    '9'.repeat(101),
  ])('%j is not a number', (text) => {
    expect(number(text)).toBeNaN()
  })
})

describe('times of a tape', () => {
  test.each([
    ['2013-10-07T13:30:00Z', Date.UTC(2013, 9, 7, 13, 30)],
    ['2013-10-07T13:30:00.5Z', Date.UTC(2013, 9, 7, 13, 30, 0, 500)],
    ['2013-10-07T13:30:59.123Z', Date.UTC(2013, 9, 7, 13, 30, 59, 123)],
    ['2013-10-07T13:30:59.123999999Z', Date.UTC(2013, 9, 7, 13, 30, 59, 123)],
    ['2013-10-07 13:30:00.001+00:00', Date.UTC(2013, 9, 7, 13, 30, 0, 1)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1381152600123', 1_381_152_600_123],
    ['0', 0],
  ])('%s is a time', (text, expected) => {
    expect(time(text)).toBe(expected)
    const warm = new TimeReader()
    time('2013-10-07T13:30:11.111Z', warm)
    expect(time(text, warm)).toBe(expected)
  })

  test.each([
    '',
    'yesterday',
    '2013-10-07',
    '2013-10-07T13:30Z',
    '2013-10-07T13:30:00',
    '2013-10-07T13:30:00.Z',
    '2013-10-07T13:30:0xZ',
    '2013-10-07T13:30:60Z',
    '2013-10-07T24:00:00Z',
    '2013-02-30T13:30:00Z',
    '2013-13-01T13:30:00Z',
    '2013-10-07T13:30:00+02:00',
    '2013-10-07T13:30:00.1234567890Z',
    '-5',
    '1.5',
    '1'.repeat(16),
  ])('%j is not a time', (text) => {
    expect(time(text)).toBeNaN()
    const warm = new TimeReader()
    time('2013-10-07T13:30:11.111Z', warm)
    expect(time(text, warm)).toBeNaN()
  })

  test('one reader reads any sequence of times as JavaScript does', () => {
    const near = fc.integer({ min: Date.UTC(2013, 9, 7), max: Date.UTC(2013, 9, 7) + 300_000 })
    const any = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })
    fc.assert(
      fc.property(fc.array(fc.oneof(near, any), { maxLength: 30 }), (times) => {
        const reader = new TimeReader()
        for (const ms of times) expect(time(new Date(ms).toISOString(), reader)).toBe(ms)
      }),
    )
  })
})

describe('symbols of a tape', () => {
  test('any sequence of symbols comes back as it was, also where they share a slot', () => {
    const symbol = fc.string({ unit: fc.constantFrom('A', 'B', 'É', '.'), maxLength: 24 })
    fc.assert(
      fc.property(fc.array(symbol, { maxLength: 200 }), (symbols) => {
        const reader = new SymbolReader()
        for (const text of symbols) {
          const bytes = Buffer.from(`<${text}>`)
          expect(reader.read(bytes, 1, bytes.length - 1)).toBe(text)
        }
      }),
    )
  })
})
