import { expect, test } from 'vitest'
import { isUsStock } from './us-stocks.ts'

test.each(['AAPL', 'BRK.B', 'F'])('%s may be a stock of the US exchanges', (symbol) => {
  expect(isUsStock(symbol)).toBe(true)
})

test.each(['TSCO.LON', 'BTC-USD', 'EUR-USD', '^GSPC', 'ES=F'])('%s is none', (symbol) => {
  expect(isUsStock(symbol)).toBe(false)
})
