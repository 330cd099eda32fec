import { expect, test } from 'vitest'
import { symbolsOf } from './symbols.ts'

test('lower case is accepted, and each symbol counts once', () => {
  expect(symbolsOf(['aapl', 'AAPL', ' brk.b '], 1, 2)).toEqual(['AAPL', 'BRK.B'])
})

test('a malformed symbol is named', () => {
  expect(() => symbolsOf(['AAPL', 'A$'], 1, 5)).toThrow('was "A$"')
})

test('too few are refused', () => {
  expect(() => symbolsOf([], 1, 5)).toThrow('symbols must name 1 to 5 instruments, named 0')
})

test('too many are refused', () => {
  expect(() => symbolsOf(['A', 'B', 'C'], 1, 2)).toThrow('symbols must name 1 to 2 instruments, named 3')
})
