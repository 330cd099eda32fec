import { expect, test } from 'vitest'
import type { SourceVariable } from './catalogue.ts'
import { usTradesTeller } from './us-trades.ts'

const settings = (variables: Partial<Record<SourceVariable, string>> = {}) => ({ variables, symbols: [], urls: {} })

test('of vendors that pass on the same trades of US stocks one tells them', () => {
  expect(usTradesTeller(['coinbase', 'alpaca', 'finnhub'], settings())).toBe('finnhub')
  expect(usTradesTeller(['alpaca', 'coinbase'], settings())).toBe('alpaca')
})

test('the trades of all exchanges come before those of one', () => {
  expect(usTradesTeller(['alpaca', 'polygon'], settings({ POLYGON_WS: 'live' }))).toBe('polygon')
})

test('a plan without a stream tells no trades', () => {
  expect(usTradesTeller(['alpaca', 'polygon'], settings())).toBe('alpaca')
  expect(usTradesTeller(['polygon', 'fred'], settings())).toBeUndefined()
})
