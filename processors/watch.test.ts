import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Tick, tick } from '../domain/tick.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import { SOURCES_OF_SYMBOL_MAX } from '../domain/watch/watched-symbol.ts'
import { type EventCodec, openCodec } from '../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { type Metrics, openMetrics } from '../platform/metrics.ts'
import type { Connection } from '../platform/store/connection.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import type { Follow } from './reading.ts'
import type { TickWork } from './tick-reading.ts'
import { Watch } from './watch.ts'
import { WATCH_BOUNDS, type WatchBounds } from './watch-state.ts'

const PARTITION = 3
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
/** A Monday, the US exchanges open. */
const OPEN_MS = Date.UTC(2026, 2, 2, 14, 30)

let codec: EventCodec
beforeAll(async () => {
  codec = await openCodec(new MemorySchemaRegistry())
})

let told = 0
const print = (fields: Partial<Tick> = {}): Tick => {
  const eventTimeMs = fields.eventTimeMs ?? OPEN_MS
  const position = told++
  return tick({
    symbol: 'AAPL',
    price: 100,
    size: 1,
    eventTimeMs,
    ingestTimeMs: Math.max(OPEN_MS, eventTimeMs),
    seq: position,
    source: 'tape',
    position,
    ...fields,
  })
}

/** The processor with one partition, and the table that its state is kept in. */
function watching(bounds: WatchBounds = WATCH_BOUNDS) {
  const metrics = openMetrics()
  const watch = new Watch({ codec, metrics, bounds })
  const stored = new Map<string, string>()
  const events: OutboxEvent[] = []
  const open = () =>
    watch.open({
      partition: PARTITION,
      epoch: 1,
      nextOffset: 0,
      sources: new Map(),
      state: Array.from(stored, ([key, value]) => ({ key, value })),
    })
  let state = open()
  return {
    metrics,
    stored,
    events,
    /** As a process does that was killed: on from what is stored. */
    restart: () => {
      state = open()
    },
    async take(ticks: readonly Tick[], follows: readonly Follow[] = []): Promise<void> {
      const fold = watch.begin()
      fold.add({ state, work: workOf(ticks, follows) })
      await fold.write(undefined as unknown as Connection)
      for (const { key, value } of fold.stateChanges)
        if (value === undefined) stored.delete(key)
        else stored.set(key, value)
      events.push(...fold.events)
      await fold.tell(async () => {})
    },
    facts: () => events.map(({ value }) => codec.decode('data-quality', value)),
  }
}

function workOf(ticks: readonly Tick[], follows: readonly Follow[]): TickWork {
  const columns = new TickColumns(ticks.length)
  for (const [i, each] of ticks.entries()) columns.append(each, i)
  const counted = { records: ticks.length, cost: ticks.length, duplicates: 0, rejects: [] }
  const rest = { ...counted, sources: new Map(), nextOffset: ticks.length }
  return { partition: PARTITION, ticks: columns, originals: [], follows, ...rest }
}

/** A print of each symbol every second, up and down by a cent. */
const calm = (seconds: number, symbols = ['AAPL', 'MSFT'], fromMs = OPEN_MS, source = 'tape'): Tick[] =>
  Array.from({ length: seconds }, (_, i) =>
    symbols.map((symbol) => print({ symbol, source, price: 100 + (i % 2) / 100, eventTimeMs: fromMs + i * SECOND_MS })),
  ).flat()

const count = async (metrics: Metrics, name: 'qualityFound' | 'qualitySuppressed' | 'qualityForgotten') => {
  const { values } = await metrics[name].get()
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels)[0], value]))
}

describe('The watch tells', () => {
  test('of a jump, in a sentence with the numbers', async () => {
    const { take, facts } = watching()
    await take([...calm(60), print({ price: 105, eventTimeMs: OPEN_MS + MINUTE_MS })])
    expect(facts()).toEqual([
      {
        kind: 'JUMP',
        source: 'tape',
        symbol: 'AAPL',
        eventTimeMs: OPEN_MS + MINUTE_MS,
        ingestTimeMs: OPEN_MS + MINUTE_MS,
        detail: 'The price moved by 4.99 % from 100.01 to 105 from one print to the next, 487 times as much as usual.',
      },
    ])
  })

  test('of a print that is far older than those before it, by its own time', async () => {
    const { take, facts } = watching()
    await take([...calm(60), print({ eventTimeMs: OPEN_MS + 10 * SECOND_MS, ingestTimeMs: OPEN_MS + MINUTE_MS })])
    expect(facts()).toMatchObject([
      {
        kind: 'OUT_OF_ORDER',
        symbol: 'AAPL',
        eventTimeMs: OPEN_MS + 10 * SECOND_MS,
        detail: 'A print of AAPL came 49 s after a newer one of tape.',
      },
    ])
  })

  test('of a symbol that is quiet while its source goes on, since its last print', async () => {
    const { take, facts } = watching()
    await take([...calm(120), ...calm(600, ['MSFT'], OPEN_MS + 120 * SECOND_MS)])
    expect(facts()).toMatchObject([
      {
        kind: 'STALE_SYMBOL',
        source: 'tape',
        symbol: 'AAPL',
        eventTimeMs: OPEN_MS + 119 * SECOND_MS,
        detail:
          'tape has told no print of AAPL for more than 180 s while it told others; there usually is one every 1 s or sooner.',
      },
    ])
  })

  test('of a venue that is away from another', async () => {
    const { take, facts } = watching()
    const both = (seconds: number, fromMs: number, price: number) =>
      Array.from({ length: seconds }, (_, i) => [
        print({ symbol: 'BTC-USD', source: 'coinbase:BTC-USD', eventTimeMs: fromMs + i * SECOND_MS }),
        print({ symbol: 'BTC-USD', source: 'kraken:BTC-USD', eventTimeMs: fromMs + i * SECOND_MS, price }),
      ]).flat()
    await take([...both(60, OPEN_MS, 100.01), ...both(10, OPEN_MS + MINUTE_MS, 102)])
    expect(facts()).toMatchObject([
      {
        kind: 'VENUE_DISAGREEMENT',
        source: 'kraken:BTC-USD',
        symbol: 'BTC-USD',
        eventTimeMs: OPEN_MS + MINUTE_MS,
        detail: 'kraken:BTC-USD told 102 while coinbase:BTC-USD told 100: 2 % apart for 2 s; up to 1.01 % is usual.',
      },
    ])
  })
})

describe('Nobody is stale', () => {
  test('because the whole source is silent', async () => {
    const { take, events } = watching()
    await take([...calm(120), ...calm(120, ['MSFT', 'AAPL'], OPEN_MS + 3_600_000)])
    expect(events).toEqual([])
  })

  test('because the exchange is closed, though its source tells of coins all night', async () => {
    const { take, events } = watching()
    const evening = Date.UTC(2026, 2, 2, 20, 58)
    await take(calm(120, ['AAPL', 'MSFT', 'BTC-USD'], evening))
    const night = Array.from({ length: 6_300 }, (_, i) =>
      print({ symbol: 'BTC-USD', eventTimeMs: evening + 120_000 + i * 10_000 }),
    )
    await take(night)
    await take(calm(120, ['MSFT', 'AAPL', 'BTC-USD'], Date.UTC(2026, 2, 3, 14, 30)))
    expect(events).toEqual([])
  })

  test('because another tape goes on', async () => {
    const { take, events } = watching()
    await take(calm(120, ['AAPL'], OPEN_MS, 'replay:AAPL'))
    await take(calm(600, ['MSFT'], OPEN_MS + 120_000, 'replay:MSFT'))
    expect(events).toEqual([])
  })
})

test('a product that is alone in its partition is stale while its venue goes on in others', async () => {
  const { take, facts } = watching()
  const source = 'coinbase:BTC-USD'
  await take(calm(120, ['BTC-USD'], OPEN_MS, source))
  for (let seconds = 125; seconds < 400; seconds += 5)
    await take([], [{ source, watermarkMs: OPEN_MS + seconds * SECOND_MS }])
  expect(facts()).toMatchObject([{ kind: 'STALE_SYMBOL', source, eventTimeMs: OPEN_MS + 119 * SECOND_MS }])
})

describe('A source that lies', () => {
  test('about every price is told of seldom, and the rest is counted', async () => {
    const { take, events, metrics } = watching()
    const lies = Array.from({ length: 3_600 }, (_, i) =>
      print({ price: i % 2 === 0 ? 50 : 200, eventTimeMs: OPEN_MS + MINUTE_MS + i * SECOND_MS }),
    )
    await take([...calm(60, ['AAPL']), ...lies])
    expect(events.length).toBeLessThanOrEqual(5)
    const suppressed = (await count(metrics, 'qualitySuppressed')).JUMP
    expect(suppressed).toBeGreaterThan(10)
    expect((await count(metrics, 'qualityFound')).JUMP).toBe(events.length)
  })

  test('about every time is told of once a minute', async () => {
    const { take, events } = watching()
    const mixed = Array.from({ length: 600 }, (_, i) => [
      print({ eventTimeMs: OPEN_MS + i * SECOND_MS }),
      print({ eventTimeMs: OPEN_MS - 3_600_000 + i * SECOND_MS }),
    ]).flat()
    await take(mixed)
    expect(events).toHaveLength(10)
  })

  test('with a time far ahead does not silence the watch for ever', async () => {
    const { take, facts } = watching()
    const ahead = Date.UTC(2100, 0, 1)
    await take([print({ eventTimeMs: ahead, ingestTimeMs: ahead }), ...calm(1_200, ['AAPL'])])
    await take([print({ price: 110, eventTimeMs: OPEN_MS + 1_200 * SECOND_MS })])
    expect(facts().map(({ kind }) => kind)).toEqual(['OUT_OF_ORDER', 'JUMP'])
  })

  test('with a name as long as a name may be is told of all the same', async () => {
    const { take, facts } = watching()
    const source = 'x'.repeat(500)
    await take(calm(60, ['AAPL'], OPEN_MS, source))
    await take([print({ source, eventTimeMs: OPEN_MS })])
    expect(facts()).toMatchObject([{ kind: 'OUT_OF_ORDER', source }])
  })
})

describe('What is remembered', () => {
  test('is bounded in symbols: those that have been quiet for longest leave, in memory and in the store', async () => {
    const { take, stored, metrics } = watching({ symbolsMax: 16, clocksMax: 64 })
    const symbols = Array.from({ length: 17 }, (_, i) => `S${i}`)
    await take(symbols.map((symbol, i) => print({ symbol, eventTimeMs: OPEN_MS + i })))
    expect(await count(metrics, 'qualityForgotten')).toEqual({ symbol: 2 })
    expect([...stored.keys()].filter((key) => /^S\d+$/.test(key))).toEqual(symbols.slice(2))
  })

  test('is bounded in clocks', async () => {
    const { take, stored, metrics } = watching({ symbolsMax: 16, clocksMax: 4 })
    await take(Array.from({ length: 6 }, (_, i) => print({ source: `tape-${i}`, eventTimeMs: OPEN_MS + i })))
    expect(await count(metrics, 'qualityForgotten')).toEqual({ clock: 2 })
    expect(JSON.parse(stored.get('clocks') ?? '')).toHaveLength(4)
  })

  test('is bounded in sources of a symbol', async () => {
    const { take, stored } = watching()
    await take(Array.from({ length: 20 }, (_, i) => print({ source: `tape-${i}`, eventTimeMs: OPEN_MS + i })))
    const sources = JSON.parse(stored.get('AAPL') ?? '') as { source: string }[]
    expect(sources.map(({ source }) => source)).toEqual(
      Array.from({ length: SOURCES_OF_SYMBOL_MAX }, (_, i) => `tape-${20 - SOURCES_OF_SYMBOL_MAX + i}`),
    )
  })
})

/** Three symbols at three sources: calm for a while, then anything. */
const tapes = fc
  .array(
    fc.record({
      symbol: fc.constantFrom('AAPL', 'BTC-USD', 'MSFT'),
      source: fc.constantFrom('coinbase:BTC-USD', 'kraken:BTC-USD', 'alpaca'),
      stepMs: fc.constantFrom(0, 1, 400, 1_000, 1_000, 7_000, 30_000, 200_000),
      backMs: fc.constantFrom(0, 0, 0, 0, 3_000, 20_000),
      price: fc.constantFrom(100, 100, 100.01, 100.02, 101.5, 103, 150),
    }),
    { minLength: 1, maxLength: 150 },
  )
  .map((steps) => {
    let nowMs = OPEN_MS + 200 * SECOND_MS
    const known = ['coinbase:BTC-USD', 'kraken:BTC-USD', 'alpaca'].flatMap((source) =>
      calm(60, ['AAPL', 'BTC-USD', 'MSFT'], OPEN_MS, source),
    )
    const rest = steps.map(({ stepMs, backMs, ...fields }) => {
      nowMs += stepMs
      return print({ ...fields, eventTimeMs: nowMs - backMs, ingestTimeMs: nowMs })
    })
    return [...known, ...rest]
  })

const idsOf = ({ events }: { readonly events: readonly OutboxEvent[] }) => events.map(({ id }) => id)

describe('Whatever the prints are', () => {
  test('the same is found wherever they are cut into batches, and wherever the process is killed in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        tapes,
        fc.infiniteStream(fc.record({ size: fc.integer({ min: 1, max: 90 }), isKilled: fc.boolean() })),
        async (ticks, cuts) => {
          const whole = watching()
          await whole.take(ticks)
          const pieces = watching()
          for (let i = 0; i < ticks.length; ) {
            const { size, isKilled } = cuts.next().value ?? { size: 1, isKilled: false }
            await pieces.take(ticks.slice(i, i + size))
            if (isKilled) pieces.restart()
            i += size
          }
          expect(pieces.facts()).toEqual(whole.facts())
          expect(new Map([...pieces.stored].sort())).toEqual(new Map([...whole.stored].sort()))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a replay gives the same ids, so nothing is told twice', async () => {
    await fc.assert(
      fc.asyncProperty(tapes, async (ticks) => {
        const [first, again] = [watching(), watching()]
        await first.take(ticks)
        await again.take(ticks)
        expect(idsOf(again)).toEqual(idsOf(first))
        expect(new Set(idsOf(first)).size).toBe(first.events.length)
      }),
      { numRuns: 60 },
    )
  })
})
