import { expect, test } from 'vitest'
import { quoteSnapshot } from '../../domain/quote-snapshot.ts'
import { ManualClock } from '../../platform/clock.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { MemoryQuotas } from '../../tests/support/vendors/memory-quotas.ts'
import type { PlannedUpdate } from '../catalogue.ts'
import { KeyRing } from '../quota/key-ring.ts'
import type { Interest } from '../quota/quota.ts'
import type { SourceBatch } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import type { Feed, FeedAnswer, FeedCursor } from './feed.ts'
import type { PolledCheckpoint } from './feed-progress.ts'
import { polledSource } from './polled-source.ts'

const START_MS = Date.UTC(2026, 10, 20, 15)
const MINUTE_MS = 60_000

const quote = (symbol: string, price: number, nowMs: number) => ({
  topic: 'stock-quotes' as const,
  event: quoteSnapshot({
    symbol,
    source: 'finnhub',
    licence: 'PERSONAL',
    price,
    previousClose: null,
    dayVolume: null,
    eventTimeMs: nowMs,
    ingestTimeMs: nowMs,
    delayed: false,
  }),
})

/** A vendor with a quote a minute, or so often, for each symbol; `answer` may throw in its place. */
function world(symbols: readonly string[], everyMs = MINUTE_MS) {
  const clock = new ManualClock(START_MS)
  const asked: string[] = []
  const interest = new Map<string, Interest>()
  const plans: (readonly PlannedUpdate[])[] = []
  const troubles: (string | undefined)[] = []
  const vendor = {
    answer: (_feed: string, _cursor: FeedCursor | undefined): FeedAnswer | undefined => undefined,
  }
  const feedOf = (symbol: string): Feed => ({
    name: `quote:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-quotes',
    cost: 1,
    dueMs: (nowMs, askedMs) => (askedMs === undefined ? nowMs : askedMs + everyMs),
    ask: async (cursor) => {
      asked.push(symbol)
      const told = vendor.answer(`quote:${symbol}`, cursor)
      return (
        told ?? { facts: [quote(symbol, 100 + asked.length, clock.now())], rejects: [], cursor: { n: asked.length } }
      )
    },
    reparse: () => ({ facts: [], rejects: [] }),
  })
  const metrics = openMetrics()
  const quota = new KeyRing({
    name: 'finnhub',
    keys: [],
    windows: [{ kind: 'sliding', requests: 60, perMs: MINUTE_MS }],
    store: new MemoryQuotas(),
    clock,
    log: silentLog,
    metrics,
  })
  const source = polledSource({
    name: 'finnhub',
    feedsOf: (all) => all.map(feedOf),
    quota,
    context: {
      settings: { variables: {}, symbols, urls: {} },
      interest: { current: () => interest },
      clock,
      log: silentLog,
      metrics,
      tellPlan: (_source, plan) => plans.push(plan),
      tellTrouble: (_source, trouble) => troubles.push(trouble),
    },
  })
  return { source, clock, asked, interest, plans, troubles, vendor }
}

/** So much time passes, and whatever became due in it has come to rest. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  const rest = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  }
  await rest()
  for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
    await clock.advance(Math.min(1_000, leftMs))
    await rest()
  }
}

/** Reads for so long by the clock, from the checkpoint; answers what came. */
async function readFor(
  { source, clock }: ReturnType<typeof world>,
  ms: number,
  from?: PolledCheckpoint,
): Promise<SourceBatch<PolledCheckpoint>[]> {
  const stop = new AbortController()
  const batches: SourceBatch<PolledCheckpoint>[] = []
  const reading = (async () => {
    for await (const batch of source.read(from, stop.signal)) batches.push(batch)
  })()
  // It may end by itself before its time is over.
  reading.catch(() => undefined)
  await pass(clock, ms)
  stop.abort()
  await reading
  return batches
}

test('every feed is asked when it is due, and not before', async () => {
  const here = world(['AAPL', 'MSFT'])
  const batches = await readFor(here, 2.5 * MINUTE_MS)
  expect(here.asked).toEqual(['AAPL', 'MSFT', 'AAPL', 'MSFT', 'AAPL', 'MSFT'])
  expect(batches.flatMap(({ facts }) => facts ?? [])).toHaveLength(6)
})

test('what alert rules look at comes first, then what is watched, the most watched before the others', async () => {
  const here = world(['A', 'B', 'C', 'D'])
  here.interest.set('B', { alertRules: 0, watchers: 2 })
  here.interest.set('C', { alertRules: 0, watchers: 9 })
  here.interest.set('D', { alertRules: 1, watchers: 0 })
  await readFor(here, 1)
  expect(here.asked).toEqual(['D', 'C', 'B', 'A'])
})

test('a symbol that somebody begins to watch is asked for too', async () => {
  const here = world(['AAPL'])
  here.interest.set('NVDA', { alertRules: 0, watchers: 1 })
  await readFor(here, 1)
  expect(here.asked).toEqual(['NVDA', 'AAPL'])
})

test('it goes on where its checkpoint says: cursors are handed back and nothing is asked before its time', async () => {
  const before = world(['AAPL'])
  const [{ checkpoint }] = await readFor(before, 1)
  const here = world(['AAPL'])
  const cursors: (FeedCursor | undefined)[] = []
  here.vendor.answer = (_feed, cursor) => {
    cursors.push(cursor)
    return undefined
  }
  await readFor(here, MINUTE_MS - 1, JSON.parse(JSON.stringify(checkpoint)))
  expect(here.asked).toEqual([])
  await readFor(here, 2, checkpoint)
  expect(cursors).toEqual([{ n: 1 }])
})

test('what goes on is asked for again at once, until it is at its end', async () => {
  const here = world(['AAPL'])
  here.vendor.answer = () => ({ facts: [], rejects: [], goesOn: here.asked.length < 3 })
  await readFor(here, MINUTE_MS - 1)
  expect(here.asked).toHaveLength(3)
})

test('what was not at its end when it stopped is asked for again when it starts', async () => {
  const before = world(['AAPL'])
  before.vendor.answer = () => {
    if (before.asked.length === 2) throw new VendorError('VENDOR_UNAVAILABLE', 'away')
    return { facts: [], rejects: [], goesOn: true }
  }
  const [{ checkpoint }] = await readFor(before, 1)
  const here = world(['AAPL'])
  await readFor(here, 1, JSON.parse(JSON.stringify(checkpoint)))
  expect(here.asked).toEqual(['AAPL'])
})

test('an answer that cannot be read goes to the dead letters with its bytes, and the others go on', async () => {
  const here = world(['AAPL', 'MSFT'])
  here.vendor.answer = (feed) => {
    if (feed === 'quote:AAPL')
      throw new VendorError('VENDOR_ANSWER', 'Finnhub told no JSON', { original: Buffer.from('<html>') })
    return undefined
  }
  const batches = await readFor(here, 1)
  const rejects = batches.flatMap((batch) => batch.rejects)
  expect(rejects).toMatchObject([
    { feed: 'quote:AAPL', reason: 'Finnhub told no JSON', original: Buffer.from('<html>') },
  ])
  expect(batches.flatMap(({ facts }) => facts ?? [])).toHaveLength(1)
})

test('an answer in which nothing could be read is put aside and asked for again soon, from where it was', async () => {
  const here = world(['AAPL'])
  const cursors: (FeedCursor | undefined)[] = []
  const bad = { position: 1, reason: 'price: expected number', original: Buffer.from('{"price":"?"}') }
  here.vendor.answer = (_feed, cursor) => {
    cursors.push(cursor)
    if (cursors.length === 2) return { facts: [], rejects: [bad], cursor: { n: 99 }, isUnread: true }
    return undefined
  }
  const batches = await readFor(here, 1.75 * MINUTE_MS)
  expect(batches[1]).toMatchObject({ facts: [], rejects: [{ ...bad, feed: 'quote:AAPL' }] })
  expect(cursors).toEqual([undefined, { n: 1 }, { n: 1 }])
  expect(here.troubles[0]).toContain('nothing of quote:AAPL could be read: price: expected number')
})

test.each([
  ['a minute', MINUTE_MS, 28, 60],
  ['a day', 1_440 * MINUTE_MS, 4, 9],
])(
  'what can never be read, and is new once %s, is tried more and more rarely, but no more rarely than that',
  async (_every, everyMs, least, most) => {
    const here = world(['AAPL'], everyMs)
    here.vendor.answer = () => {
      throw new VendorError('VENDOR_ANSWER', 'Finnhub told no JSON')
    }
    await readFor(here, 30 * MINUTE_MS)
    expect(here.asked.length).toBeGreaterThanOrEqual(least)
    expect(here.asked.length).toBeLessThanOrEqual(most)
  },
)

test('a vendor that says when to come back is not asked before', async () => {
  const here = world(['AAPL', 'MSFT'])
  let isLimited = true
  here.vendor.answer = () => {
    if (isLimited) throw new VendorError('VENDOR_LIMIT', 'too much', { retryAtMs: START_MS + 10 * MINUTE_MS })
    return undefined
  }
  const stop = new AbortController()
  const reading = (async () => {
    for await (const _ of here.source.read(undefined, stop.signal));
  })()
  await pass(here.clock, 10 * MINUTE_MS - 1)
  expect(here.asked).toEqual(['AAPL', 'MSFT'])
  isLimited = false
  await pass(here.clock, 1)
  expect(here.asked).toEqual(['AAPL', 'MSFT', 'AAPL', 'MSFT'])
  stop.abort()
  await reading
  expect(here.plans.flat().every(({ nextUpdateAtMs }) => nextUpdateAtMs >= START_MS)).toBe(true)
})

test('while the vendor is away it says so, tries ever more rarely, and goes on when it is back', async () => {
  const here = world(['AAPL'])
  let isAway = true
  here.vendor.answer = () => {
    if (isAway) throw new VendorError('VENDOR_UNAVAILABLE', 'Finnhub cannot be reached')
    return undefined
  }
  const stop = new AbortController()
  const facts: unknown[] = []
  const reading = (async () => {
    for await (const batch of here.source.read(undefined, stop.signal)) facts.push(...(batch.facts ?? []))
  })()
  await pass(here.clock, 60 * MINUTE_MS)
  expect(here.troubles.at(-1)).toBe('Finnhub cannot be reached')
  expect(here.asked.length).toBeLessThan(40)
  isAway = false
  await pass(here.clock, 6 * MINUTE_MS)
  expect(here.troubles.at(-1)).toBeUndefined()
  expect(facts.length).toBeGreaterThan(0)
  stop.abort()
  await reading
})

test('a feed that the vendor does not know is put aside; a key that it refuses ends the source', async () => {
  const here = world(['AAPL', 'NOPE'])
  here.vendor.answer = (feed) => {
    if (feed === 'quote:NOPE') throw new VendorError('VENDOR_UNKNOWN', 'Finnhub knows no NOPE')
    return undefined
  }
  await readFor(here, 3 * MINUTE_MS)
  expect(here.asked.filter((symbol) => symbol === 'NOPE')).toHaveLength(1)
  here.vendor.answer = () => {
    throw new VendorError('VENDOR_REFUSED', 'the key is wrong', { ofKey: true })
  }
  await expect(readFor(here, 1)).rejects.toMatchObject({ code: 'VENDOR_REFUSED' })
})

test('it ends at once when it is stopped, whatever hangs', async () => {
  const here = world(['AAPL'])
  here.vendor.answer = () => new Promise(() => undefined) as unknown as FeedAnswer
  expect(await readFor(here, MINUTE_MS)).toEqual([])
})
