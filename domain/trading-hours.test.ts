import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MARKETS, type Market, marketOf, tradingPeriodAt } from './trading-hours.ts'

test.each([
  ['AAPL', 'US'],
  ['BRK.B', 'US'],
  ['BTC-USD', 'COIN'],
  ['ETH-BTC', 'COIN'],
  ['EUR-USD', 'FX'],
] as const)('%s trades at %s', (symbol, market) => {
  expect(marketOf(symbol)).toBe(market)
})

const isOpen = (market: Market, iso: string) => tradingPeriodAt(market, Date.parse(iso)).isOpen

describe('The US exchanges are', () => {
  test.each([
    ['closed a moment before the bell in winter', '2026-11-20T14:29:59.999Z', false],
    ['open with the bell in winter', '2026-11-20T14:30:00Z', true],
    ['open with the bell in summer', '2013-10-07T13:30:00Z', true],
    ['open until the bell in summer', '2013-10-07T19:59:59.999Z', true],
    ['closed after the bell in summer', '2013-10-07T20:00:00Z', false],
    ['closed at one on the day after Thanksgiving', '2026-11-27T18:00:00Z', false],
    ['open on the first Monday of summer time', '2026-03-09T13:30:00Z', true],
    ['closed on Thanksgiving', '2026-11-26T16:00:00Z', false],
    ['closed on a Saturday', '2026-11-21T16:00:00Z', false],
  ])('%s', (_what, iso, expected) => {
    expect(isOpen('US', iso)).toBe(expected)
  })
})

describe('Currencies are traded', () => {
  test.each([
    ['not on a Sunday before five', '2026-11-22T21:59:59Z', false],
    ['from Sunday at five', '2026-11-22T22:00:00Z', true],
    ['through the night', '2026-11-25T07:00:00Z', true],
    ['until Friday at five', '2026-11-27T21:59:59Z', true],
    ['not after Friday at five', '2026-11-27T22:00:00Z', false],
    ['not on a Saturday', '2026-11-28T12:00:00Z', false],
    ['from Sunday at five on the day that clocks change', '2026-03-08T21:00:00Z', true],
  ])('%s', (_what, iso, expected) => {
    expect(isOpen('FX', iso)).toBe(expected)
  })
})

test('coins never close', () => {
  expect(isOpen('COIN', '2026-11-28T12:00:00Z')).toBe(true)
})

test('a period holds the time that was asked for, and says the same of all times in it', () => {
  const time = fc.integer({ min: Date.UTC(2008, 0, 1), max: Date.UTC(2035, 0, 1) })
  fc.assert(
    fc.property(
      fc.constantFrom(...MARKETS),
      time,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (market, timeMs, share) => {
        const { isOpen, startMs, endMs } = tradingPeriodAt(market, timeMs)
        expect(startMs <= timeMs && timeMs < endMs).toBe(true)
        if (market === 'COIN') return
        const within = Math.min(endMs - 1, Math.floor(startMs + share * (endMs - startMs)))
        // Ask for another day, so that nothing is answered from memory.
        tradingPeriodAt(market, timeMs + 30 * 86_400_000)
        expect(tradingPeriodAt(market, within).isOpen).toBe(isOpen)
      },
    ),
    {
      numRuns: 2_000,
      examples: [
        ['US', Date.UTC(2013, 10, 3, 4), 0],
        ['FX', Date.UTC(2013, 10, 3, 4), 0],
      ],
    },
  )
})
