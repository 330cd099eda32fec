import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, test, vi } from 'vitest'
import { type SimulatedAsk, SimulatedVendor } from '../../tests/support/vendors/simulated-polling.ts'
import type { QuotaWindow } from '../quota/quota.ts'

// Simulated days take a slow machine a while.
vi.setConfig({ testTimeout: 30_000 })

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** A Monday, at midnight UTC. */
const START_MS = Date.UTC(2026, 10, 16)
const RUNS = Number(process.env.QUOTA_RUNS ?? 8)

/** A free key: 25 requests a day, one a second. */
const FREE: readonly QuotaWindow[] = [
  { kind: 'sliding', requests: 1, perMs: 1_100 },
  { kind: 'day', requests: 25, timeZone: 'UTC' },
]
const symbolsOf = (count: number) => Array.from({ length: count }, (_, i) => `S${i}`)
const countOf = (asks: readonly SimulatedAsk[], symbol: string) => asks.filter((ask) => ask.symbol === symbol).length
const watched = { alertRules: 0, watchers: 1 }

async function started(symbols: readonly string[], windows = FREE) {
  const vendor = new SimulatedVendor({ symbols, windows, startMs: START_MS })
  await vendor.start()
  return vendor
}

describe('twenty-five requests a day for forty symbols with a new price each minute', () => {
  test('are all used, and spread over the time in which there is something new', async () => {
    const vendor = await started(symbolsOf(40))
    // The first day goes to first looks, whenever they are; then the rhythm of the market is all there is.
    await vendor.clock.advance(10 * DAY_MS)
    await vendor.kill()
    const lastDay = vendor.asks.filter(({ atMs }) => atMs >= START_MS + 9 * DAY_MS).map(({ atMs }) => atMs % DAY_MS)
    expect(lastDay.length).toBeGreaterThanOrEqual(24)
    expect(Math.min(...lastDay)).toBeGreaterThanOrEqual(14.5 * HOUR_MS)
    expect(Math.max(...lastDay)).toBeGreaterThan(20 * HOUR_MS)
    const gapsMs = lastDay.slice(1).map((atMs, i) => atMs - lastDay[i])
    expect(Math.max(...gapsMs)).toBeLessThan(40 * MINUTE_MS)
    expect(Math.min(...gapsMs)).toBeGreaterThan(5 * MINUTE_MS)
  })

  test('go three times as often to what is watched, and twice as often again to what alert rules look at', async () => {
    const vendor = await started(symbolsOf(40))
    vendor.interest.set('S38', watched)
    vendor.interest.set('S39', { alertRules: 1, watchers: 0 })
    await vendor.clock.advance(12 * DAY_MS)
    await vendor.kill()
    const asks = vendor.asks.filter(({ atMs }) => atMs >= START_MS + 4 * DAY_MS)
    const others = symbolsOf(38).reduce((sum, symbol) => sum + countOf(asks, symbol), 0) / 38
    expect(countOf(asks, 'S38') / others).toBeGreaterThan(3)
    expect(countOf(asks, 'S39') / countOf(asks, 'S38')).toBeGreaterThanOrEqual(2)
  })

  test('leave nobody out, however much the others are wanted', async () => {
    const vendor = await started(symbolsOf(10))
    for (const symbol of symbolsOf(5)) vendor.interest.set(symbol, { alertRules: 100, watchers: 100 })
    // What nobody wants weighs a forty-eighth of these: of 25 a day each gets one in ten days.
    await vendor.clock.advance(12 * DAY_MS)
    await vendor.kill()
    for (const symbol of symbolsOf(10)) expect(countOf(vendor.asks, symbol), symbol).toBeGreaterThan(0)
  })

  test('let a symbol that somebody begins to watch be asked for at once, out of its turn', async () => {
    const vendor = await started(symbolsOf(40))
    await vendor.clock.advance(2 * DAY_MS + 15 * HOUR_MS)
    vendor.interest.set('NEW', watched)
    await vendor.clock.advance(MINUTE_MS)
    await vendor.kill()
    expect(countOf(vendor.asks, 'NEW')).toBe(1)
  })

  test('are not used up by symbols that somebody begins to watch', async () => {
    const vendor = await started(symbolsOf(40))
    await vendor.clock.advance(2 * DAY_MS + 15 * HOUR_MS)
    for (let i = 0; i < 100; i++) vendor.interest.set(`NEW${i}`, watched)
    await vendor.clock.advance(MINUTE_MS)
    const today = () => vendor.asks.filter(({ atMs }) => atMs >= START_MS + 2 * DAY_MS).length
    expect(today()).toBeLessThanOrEqual(21)
    await vendor.clock.advance(9 * HOUR_MS - 2 * MINUTE_MS)
    await vendor.kill()
    expect(today()).toBeGreaterThanOrEqual(24)
  })

  test('are as well spread after restarts as without', async () => {
    const vendor = await started(symbolsOf(40))
    await vendor.clock.advance(3 * DAY_MS)
    const before = vendor.asks.length
    for (let i = 0; i < 24; i++) {
      await vendor.kill()
      await vendor.start()
      await vendor.clock.advance(HOUR_MS)
    }
    await vendor.kill()
    const times = vendor.asks.slice(before).map(({ atMs }) => atMs)
    expect(times.length).toBeGreaterThanOrEqual(23)
    const gapsMs = times.slice(1).map((atMs, i) => atMs - times[i])
    expect(Math.min(...gapsMs)).toBeGreaterThan(5 * MINUTE_MS)
  })
})

test('a budget that is enough for all is not saved up: everybody is asked when it is time', async () => {
  const vendor = await started(symbolsOf(3), [{ kind: 'day', requests: 2_000, timeZone: 'UTC' }])
  await vendor.clock.advance(DAY_MS)
  await vendor.kill()
  const opened = vendor.asks.filter(({ atMs }) => atMs === START_MS + 14.5 * HOUR_MS)
  expect(opened).toHaveLength(3)
  for (const symbol of symbolsOf(3)) expect(countOf(vendor.asks, symbol)).toBeGreaterThanOrEqual(390)
})

test('the plan says when each symbol is looked at next, and that is when it is', async () => {
  const vendor = await started(symbolsOf(10), FREE)
  await vendor.clock.advance(3 * DAY_MS + 15 * HOUR_MS)
  const told = new Map(vendor.plan)
  expect([...told.keys()].toSorted()).toEqual(symbolsOf(10))
  const nowMs = vendor.clock.now()
  await vendor.clock.advance(6 * HOUR_MS)
  await vendor.kill()
  for (const [symbol, nextMs] of [...told].toSorted(([, a], [, b]) => a - b).slice(0, 3)) {
    const asked = vendor.asks.find((ask) => ask.symbol === symbol && ask.atMs >= nowMs)
    expect(Math.abs((asked?.atMs ?? 0) - nextMs), symbol).toBeLessThan(30 * MINUTE_MS)
  }
})

test('whatever the interest and whenever it is killed, two keys are never asked more than they allow', async () => {
  const step = fc.record({
    forMs: fc.integer({ min: 1, max: 20 * HOUR_MS }),
    interest: fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 3 }), fc.nat({ max: 3 })), { maxLength: 10 }),
    isKilled: fc.boolean(),
  })
  const windows: readonly QuotaWindow[] = [
    { kind: 'sliding', requests: 1, perMs: 1_100 },
    { kind: 'sliding', requests: 4, perMs: MINUTE_MS },
    { kind: 'day', requests: 25, timeZone: 'America/New_York' },
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const keys = ['first-key', 'second-key']
      const vendor = new SimulatedVendor({ symbols: symbolsOf(20), windows, startMs: START_MS, keys })
      await vendor.start()
      for (const { forMs, interest, isKilled } of steps) {
        vendor.interest.clear()
        for (const [n, alertRules, watchers] of interest) vendor.interest.set(`S${n}`, { alertRules, watchers })
        await vendor.clock.advance(forMs)
        if (!isKilled) continue
        await vendor.kill()
        await vendor.start()
      }
      await vendor.kill()
      for (const key of keys) expectWithin(vendor.asks.filter((ask) => ask.key === key))
    }),
    { numRuns: RUNS },
  )

  function expectWithin(asks: readonly SimulatedAsk[]): void {
    for (const window of windows) {
      if (window.kind === 'day') {
        const days = Map.groupBy(asks, ({ atMs }) => DateTime.fromMillis(atMs, { zone: window.timeZone }).toISODate())
        for (const [day, ofDay] of days) expect(ofDay.length, String(day)).toBeLessThanOrEqual(window.requests)
      } else
        for (const [i, { atMs }] of asks.entries()) {
          const beyond = asks[i + window.requests]
          if (beyond) expect(beyond.atMs - atMs).toBeGreaterThanOrEqual(window.perMs)
        }
    }
  }
}, 60_000)
