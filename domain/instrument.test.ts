import { describe, expect, test } from 'vitest'
import { symbolOf } from './instrument.ts'

describe('a symbol as people write it', () => {
  test.each([
    ['aapl', 'AAPL'],
    [' msft ', 'MSFT'],
    ['BRK-B', 'BRK.B'],
    ['brk.b', 'BRK.B'],
    ['BRK/B', 'BRK.B'],
    ['BAC-PL', 'BAC.PL'],
    ['btc-usd', 'BTC-USD'],
    ['BTC/USD', 'BTC-USD'],
    ['EUR/USD', 'EUR-USD'],
    ['BTC-USDT', 'BTC-USDT'],
    ['1INCH/USD', '1INCH-USD'],
    ['^GSPC', undefined],
    ['EURUSD=X', 'EURUSD=X'],
  ])('%s is %s', (text, symbol) => {
    if (symbol === undefined) expect(() => symbolOf(text)).toThrow('A symbol is 1 to 20')
    else expect(symbolOf(text)).toBe(symbol)
  })

  test.each(['AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD'])('%s as we write it stays as it is', (symbol) => {
    expect(symbolOf(symbol)).toBe(symbol)
  })
})
