import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, test, vi } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import { type Clock, ManualClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { MemoryQuotas } from '../../tests/support/vendors/memory-quotas.ts'
import { ARRIVES_WITHIN_MS } from './budget.ts'
import { KeyRing, keysOf } from './key-ring.ts'
import type { QuotaSpent, QuotaStore, QuotaWindow } from './quota.ts'

// Simulated days take a slow machine a while.
vi.setConfig({ testTimeout: 30_000 })

const NEW_YORK = 'America/New_York'
const HOUR_MS = 3_600_000
const RUNS = Number(process.env.QUOTA_RUNS ?? 25)
/** The day before the clocks go back, an hour before midnight in New York. */
const START_MS = Date.parse('2026-10-31T23:00:00-04:00')
const never = new AbortController().signal

interface World {
  readonly clock: Clock
  readonly store: QuotaStore
  readonly windows: readonly QuotaWindow[]
  readonly keys: readonly string[]
}

const ringOf = ({ clock, store, windows, keys }: World) =>
  new KeyRing({ name: 'vendor', keys, windows, store, clock, log: silentLog, metrics: openMetrics() })

const world = (windows: readonly QuotaWindow[], keys: readonly string[] = ['one-secret-key']) => ({
  clock: new ManualClock(START_MS),
  store: new MemoryQuotas(),
  windows,
  keys,
})

const rest = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

/** Spends and is answered at once; false where there is no room. */
async function spent(ring: KeyRing): Promise<boolean> {
  try {
    const lease = await ring.spend(never)
    await lease.ended()
    return true
  } catch {
    return false
  }
}

async function spendAll(ring: KeyRing): Promise<number> {
  let count = 0
  while (await spent(ring)) count++
  return count
}

describe('a day', () => {
  const day: QuotaWindow = { kind: 'day', requests: 25, timeZone: NEW_YORK }

  test('allows its requests, and says when there will be more', async () => {
    const ring = ringOf(world([day]))
    expect(await spendAll(ring)).toBe(25)
    await expect(ring.spend(never)).rejects.toMatchObject({
      code: 'VENDOR_LIMIT',
      // A minute after midnight in New York, for nobody's clock is exact.
      retryAtMs: Date.parse('2026-11-01T00:01:00-04:00'),
    })
  })

  test('begins at midnight there, also where the day before had twenty-five hours', async () => {
    const here = world([day])
    const ring = ringOf(here)
    await spendAll(ring)
    await here.clock.advance(HOUR_MS + 60_000)
    expect(await spendAll(ring)).toBe(25)
    const endMs = Date.parse('2026-11-02T00:00:00-05:00')
    await here.clock.advance(endMs - here.clock.now())
    expect(await spendAll(ring)).toBe(0)
    await here.clock.advance(60_000)
    expect(await spendAll(ring)).toBe(25)
  })

  test('that was spent is still spent after a restart', async () => {
    const here = world([day])
    await spendAll(ringOf(here))
    expect(await spendAll(ringOf(here))).toBe(0)
  })

  test('belongs to its key, also when the keys are told in another order', async () => {
    const here = world([day], ['first-key', 'second-key'])
    const ring = ringOf({ ...here, keys: ['first-key'] })
    await spendAll(ring)
    const both = ringOf({ ...here, keys: ['second-key', 'first-key'] })
    const lease = await both.spend(never)
    expect(lease.key).toBe('second-key')
    expect(both.today(here.clock.now())).toMatchObject({ left: 24, requests: 50 })
  })
})

test('two keys may ask twice as much, and are used alike', async () => {
  const here = world([{ kind: 'day', requests: 5, timeZone: 'UTC' }], ['first-key', 'second-key'])
  const ring = ringOf(here)
  const used: unknown[] = []
  for (let i = 0; i < 10; i++) {
    const lease = await ring.spend(never)
    used.push(lease.key)
    await lease.ended()
  }
  expect(used.filter((key) => key === 'first-key')).toHaveLength(5)
  expect(new Set(used.slice(0, 2)).size).toBe(2)
  expect(await spent(ring)).toBe(false)
})

test('a turn that is near is waited for', async () => {
  const here = world([{ kind: 'sliding', requests: 1, perMs: 1_000 }])
  const ring = ringOf(here)
  await spent(ring)
  const second = spent(ring)
  await rest()
  await here.clock.advance(999)
  await rest()
  expect(ring.lastMs).toBe(START_MS)
  await here.clock.advance(300)
  expect(await second).toBe(true)
})

test('a request takes its place until it has been answered, for nobody knows when it arrived', async () => {
  const here = world([{ kind: 'sliding', requests: 1, perMs: 10_000 }])
  const ring = ringOf(here)
  const lease = await ring.spend(never)
  await here.clock.advance(30_000)
  expect(await spent(ring)).toBe(false)
  await lease.ended()
  await here.clock.advance(9_000)
  expect(ring.freeAtMs(1, here.clock.now())).toBe(START_MS + 40_001)
})

test('a request that took long to be answered may have arrived that late, also after a restart', async () => {
  const here = world([{ kind: 'sliding', requests: 1, perMs: 10_000 }])
  const ring = ringOf(here)
  const lease = await ring.spend(never)
  await here.clock.advance(9_000)
  await lease.ended()
  const again = ringOf(here)
  await again.load(never)
  expect(again.freeAtMs(1, here.clock.now())).toBeGreaterThan(START_MS + 19_000)
})

test('a request that never left costs nothing', async () => {
  const ring = ringOf(world([{ kind: 'day', requests: 1, timeZone: 'UTC' }]))
  const lease = await ring.spend(never)
  lease.unsent()
  expect(await spent(ring)).toBe(true)
})

describe('a vendor who says no', () => {
  const window: QuotaWindow = { kind: 'sliding', requests: 100, perMs: 1_000 }

  test('is not asked before it said, also after a restart', async () => {
    const here = world([window])
    const lease = await ringOf(here).spend(never)
    await lease.limited(START_MS + HOUR_MS)
    const again = ringOf(here)
    await expect(again.spend(never)).rejects.toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs: START_MS + HOUR_MS })
    await here.clock.advance(HOUR_MS)
    expect(await spent(again)).toBe(true)
  })

  test('and not until when is left alone for longer each time, until it answers', async () => {
    const here = world([window])
    const ring = ringOf(here)
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      const lease = await ring.spend(never)
      await lease.ended()
      await lease.limited(undefined)
      pauses.push((ring.freeAtMs(1, here.clock.now()) - here.clock.now()) / 60_000)
      await here.clock.advance(HOUR_MS)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    const lease = await ring.spend(never)
    lease.answered()
    await lease.limited(undefined)
    expect(ring.freeAtMs(1, here.clock.now()) - here.clock.now()).toBe(60_000)
  })

  test('to one key is asked with the other', async () => {
    const ring = ringOf(world([window], ['first-key', 'second-key']))
    const lease = await ring.spend(never)
    lease.refused()
    const other = await ring.spend(never)
    expect(other.key).not.toBe(lease.key)
    expect(ring.usable).toBe(true)
    other.refused()
    expect(ring.usable).toBe(false)
    await expect(ring.spend(never)).rejects.toMatchObject({ code: 'VENDOR_REFUSED', ofKey: true })
  })
})

test('nothing is asked while what is spent cannot be stored', async () => {
  const here = world([{ kind: 'day', requests: 5, timeZone: 'UTC' }])
  let isAway = true
  const quotas = new MemoryQuotas()
  const store: QuotaStore = {
    load: (name) => quotas.load(name),
    save: (name, spent) =>
      isAway ? Promise.reject(new PlatformError('STORE_UNAVAILABLE', 'away')) : quotas.save(name, spent),
  }
  const asking = spent(ringOf({ ...here, store }))
  const isAsked = () => Promise.race([asking, rest().then(() => false)])
  await here.clock.advance(60_000)
  expect(await isAsked()).toBe(false)
  isAway = false
  await here.clock.advance(1_000)
  expect(await asking).toBe(true)
})

test('a fast vendor costs a save a second, not one a request', async () => {
  const quotas = new MemoryQuotas()
  const ring = ringOf({ ...world([{ kind: 'sliding', requests: 100, perMs: 1_000 }]), store: quotas })
  for (let i = 0; i < 100; i++) await spent(ring)
  expect(quotas.saves).toBe(1)
})

test.each([
  ['while it runs', true],
  ['before a restart', false],
])('a clock that was set back by an hour %s does not stop us for an hour', async (_when, isSameRing) => {
  const here = world([{ kind: 'sliding', requests: 1, perMs: 1_000 }])
  let aheadMs = HOUR_MS
  const clock = { now: () => here.clock.now() + aheadMs, sleep: here.clock.sleep.bind(here.clock) }
  const before = ringOf({ ...here, clock })
  await spent(before)
  aheadMs = 0
  const ring = isSameRing ? before : ringOf({ ...here, clock })
  await ring.load(never)
  expect(ring.freeAtMs(1, START_MS) - START_MS).toBeLessThan(10_000)
})

test('keys of a setting are told apart by commas', () => {
  expect(keysOf(' one , two,,one')).toEqual(['one', 'two'])
  expect(keysOf(undefined)).toEqual([])
})

describe('whatever happens, the vendor never counts more than it allows', () => {
  const windows: readonly QuotaWindow[] = [
    { kind: 'sliding', requests: 3, perMs: 1_000 },
    { kind: 'sliding', requests: 8, perMs: 60_000 },
    { kind: 'day', requests: 25, timeZone: NEW_YORK },
  ]
  const step = fc.record({
    waitMs: fc.oneof(fc.integer({ max: 3_000, min: 0 }), fc.integer({ max: 4 * HOUR_MS, min: 0 })),
    requests: fc.integer({ min: 0, max: 12 }),
    toVendorMs: fc.integer({ min: 0, max: ARRIVES_WITHIN_MS }),
    backMs: fc.integer({ min: 0, max: 5_000 }),
    saveMs: fc.integer({ min: 0, max: 1_500 }),
    isKilled: fc.boolean(),
  })

  test('over days, across kills, with two keys, however slow the network and the store are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60 }),
        fc.integer({ min: -50_000, max: 50_000 }),
        async (steps, theirSkewMs) => {
          const clock = new ManualClock(START_MS)
          const quotas = new MemoryQuotas()
          const arrivals = new Map<string, number[]>()
          let { life, ring } = live()
          for (const { waitMs, requests, toVendorMs, backMs, saveMs, isKilled } of steps) {
            life.saveMs = saveMs
            for (let i = 0; i < requests; i++) void request(ring, life, toVendorMs, backMs)
            await rest()
            await clock.advance(waitMs)
            await rest()
            if (!isKilled) continue
            // Without a goodbye: what is on the wire arrives, what was being saved may be lost.
            life.stop.abort()
            ;({ life, ring } = live())
          }
          await clock.advance(60_000)
          await rest()
          for (const times of arrivals.values()) expectWithin(times.map((timeMs) => timeMs + theirSkewMs))

          function live() {
            const mine = { stop: new AbortController(), saveMs: 0 }
            const store: QuotaStore = {
              load: (name) => quotas.load(name),
              save: async (name: string, saved: QuotaSpent) => {
                await clock.sleep(mine.saveMs)
                if (!mine.stop.signal.aborted) await quotas.save(name, saved)
              },
            }
            return { life: mine, ring: ringOf({ clock, store, windows, keys: ['first-key', 'second-key'] }) }
          }

          async function request(through: KeyRing, mine: typeof life, outMs: number, homeMs: number) {
            const lease = await through.spend(mine.stop.signal).catch(() => undefined)
            if (!lease || mine.stop.signal.aborted) return
            await clock.sleep(outMs)
            const key = lease.key ?? ''
            arrivals.set(key, [...(arrivals.get(key) ?? []), clock.now()])
            await clock.sleep(homeMs)
            await lease.ended()
          }
        },
      ),
      { numRuns: RUNS },
    )
  }, 120_000)

  function expectWithin(times: readonly number[]): void {
    const sorted = times.toSorted((a, b) => a - b)
    for (const window of windows) {
      if (window.kind === 'day') {
        const dates = Map.groupBy(sorted, (timeMs) => DateTime.fromMillis(timeMs, { zone: NEW_YORK }).toISODate())
        for (const [, requests] of dates) expect(requests.length).toBeLessThanOrEqual(window.requests)
        continue
      }
      for (const [i, timeMs] of sorted.entries()) {
        const beyond = sorted[i + window.requests]
        if (beyond !== undefined) expect(beyond - timeMs).toBeGreaterThanOrEqual(window.perMs)
      }
    }
  }
})
