import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addPrint, type BarInterval, barEnd, barOf, barStart, openBar } from './bar.ts'

const prints = fc
  .uniqueArray(
    fc.record({
      price: fc.integer({ min: 1, max: 1_000 }),
      size: fc.integer({ min: 0, max: 1_000 }),
      eventTimeMs: fc.integer({ min: 0, max: 59_999 }),
      seq: fc.integer({ min: 0, max: 20 }),
    }),
    { minLength: 1, maxLength: 30, selector: ({ eventTimeMs, seq }) => `${eventTimeMs}|${seq}` },
  )
  .map((list) => list.map((each) => ({ symbol: 'AAPL', ...each })))

type Print = { symbol: string; price: number; size: number; eventTimeMs: number; seq: number }

function fold([first, ...rest]: readonly Print[], interval: BarInterval = '1m') {
  const bar = openBar(first, interval)
  for (const { price, size, eventTimeMs, seq } of rest) addPrint(bar, price, size, eventTimeMs, seq)
  return barOf(bar)
}

describe('A bar', () => {
  test('starts on the boundary of its interval, not at its first print', () => {
    expect(barStart(61_234, '1m')).toBe(60_000)
    expect(barStart(Date.UTC(2026, 2, 2, 23, 59), '1d')).toBe(Date.UTC(2026, 2, 2))
    expect(barEnd({ startMs: 300_000, interval: '5m' })).toBe(600_000)
  })

  test('is the same in whatever order its prints come', () => {
    fc.assert(
      fc.property(prints, fc.infiniteStream(fc.nat()), (list, order) => {
        const shuffled = list
          .map((each) => ({ each, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each)
        expect(fold(shuffled)).toEqual(fold(list))
      }),
    )
  })

  test('opens and closes with its first and last print by event time, then by seq', () => {
    fc.assert(
      fc.property(prints, (list) => {
        const sorted = list.toSorted((a, b) => a.eventTimeMs - b.eventTimeMs || a.seq - b.seq)
        const prices = list.map(({ price }) => price)
        expect(fold(list)).toMatchObject({
          open: sorted[0].price,
          close: sorted[sorted.length - 1].price,
          high: Math.max(...prices),
          low: Math.min(...prices),
          volume: list.reduce((sum, { size }) => sum + size, 0),
          trades: list.length,
        })
      }),
    )
  })
})
