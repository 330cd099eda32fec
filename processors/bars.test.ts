import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BAR_INTERVALS, type Bar, barStart } from '../domain/bar.ts'
import { formatSymbolBars } from '../domain/held-bars.ts'
import { type Tick, tick } from '../domain/tick.ts'
import { TickColumns } from '../domain/tick-columns.ts'
import { type EventCodec, openCodec } from '../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import { type BarState, openBarState } from './bar-state.ts'
import { Bars } from './bars.ts'
import type { Follow } from './reading.ts'
import type { TickWork } from './tick-reading.ts'

const PARTITION = 3
const MINUTE_MS = 60_000
const OPENING_MS = Date.UTC(2026, 2, 2, 14, 30)
const nobody = { partition: PARTITION, epoch: 1, nextOffset: 0, sources: new Map(), state: [] }

let codec: EventCodec
beforeAll(async () => {
  codec = await openCodec(new MemorySchemaRegistry())
})

const print = (position: number, fields: Partial<Tick> = {}): Tick =>
  tick({
    symbol: 'AAPL',
    price: 100,
    size: 1,
    eventTimeMs: OPENING_MS,
    ingestTimeMs: OPENING_MS + 7 * 86_400_000,
    seq: position,
    source: 'tape',
    position,
    ...fields,
  })

function workOf(ticks: readonly Tick[], firstOffset: number, follows: readonly Follow[] = []): TickWork {
  const columns = new TickColumns(ticks.length)
  for (const [i, each] of ticks.entries()) columns.append(each, firstOffset + i)
  const originals = ticks.map((each, i) => ({
    offset: firstOffset + i,
    key: each.symbol,
    value: codec.encode('stock-data', each).value,
    headers: {},
  }))
  const counted = { records: ticks.length, cost: ticks.length, duplicates: 0 }
  const rest = { ...counted, rejects: [], sources: new Map(), nextOffset: firstOffset + ticks.length }
  return { partition: PARTITION, ticks: columns, originals, follows, ...rest }
}

interface Streamed {
  readonly events: OutboxEvent[]
  readonly late: number
}

/** What the processor makes of the ticks when they come in batches of these sizes. */
function stream(batches: readonly (readonly Tick[])[], state: BarState = openBarState(nobody)): Streamed {
  const processor = new Bars(codec)
  const events: OutboxEvent[] = []
  let [offset, late] = [0, 0]
  for (const batch of batches) {
    const fold = processor.begin()
    fold.add({ state, work: workOf(batch, offset) })
    offset += batch.length
    events.push(...fold.events)
    late += fold.lateCount
  }
  return { events, late }
}

const bar = (event: OutboxEvent): Bar => codec.decode('stock-bars', event.value)

const tapes = fc
  .array(
    fc.record({
      symbol: fc.constantFrom('AAPL', 'MSFT'),
      price: fc.integer({ min: 1, max: 500 }),
      size: fc.integer({ min: 0, max: 100 }),
      afterMs: fc.integer({ min: 0, max: 50_000 }),
      jitterMs: fc.integer({ min: 0, max: 4_000 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) => {
    let atMs = OPENING_MS
    return list.map(({ symbol, price, size, afterMs, jitterMs }, position) => {
      atMs += afterMs
      return print(position, { symbol, price, size, eventTimeMs: atMs - jitterMs })
    })
  })

const cut = (ticks: readonly Tick[], sizes: readonly number[]): Tick[][] => {
  const batches: Tick[][] = []
  for (let at = 0, i = 0; at < ticks.length; i++) {
    const size = sizes[i % sizes.length]
    batches.push(ticks.slice(at, at + size))
    at += size
  }
  return batches
}

describe('The bars processor', () => {
  test('makes the same events and bars wherever batches are cut', () => {
    fc.assert(
      fc.property(tapes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (ticks, sizes) => {
        const whole = stream([ticks])
        const pieces = stream(cut(ticks, sizes))
        expect(pieces.events).toEqual(whole.events)
        expect(pieces.late).toBe(whole.late)
      }),
      { numRuns: 50 },
    )
  })

  test('goes on from its stored state as if it had never stopped', () => {
    fc.assert(
      fc.property(tapes, fc.nat(60), (ticks, at) => {
        const whole = stream([ticks])
        const before = openBarState(nobody)
        const first = stream([ticks.slice(0, at)], before)
        const second = stream([ticks.slice(at)], restored(before))
        const ids = ({ events }: Streamed) => events.filter(({ topic }) => topic === 'stock-bars').map(({ id }) => id)
        expect([...ids(first), ...ids(second)].sort()).toEqual(ids(whole).sort())
      }),
      { numRuns: 50 },
    )
  })

  test('tells for each close what a recomputation finds', () => {
    fc.assert(
      fc.property(tapes, (ticks) => {
        const last = print(ticks.length, { eventTimeMs: OPENING_MS + 3 * 86_400_000 })
        const { events } = stream([[...ticks, last]])
        const newest = new Map(events.map((event) => [barKey(bar(event)), bar(event)]))
        for (const interval of BAR_INTERVALS)
          for (const [start, group] of Map.groupBy(
            ticks,
            (each) => `${each.symbol}|${interval}|${barStart(each.eventTimeMs, interval)}`,
          ))
            expect(newest.get(start)).toMatchObject({
              high: Math.max(...group.map(({ price }) => price)),
              volume: group.reduce((sum, { size }) => sum + size, 0),
              trades: group.length,
              closed: true,
            })
      }),
      { numRuns: 50 },
    )
  })

  test('closes a bar when its source has passed its end by what may come out of order', () => {
    const open = stream([[print(0), print(1, { eventTimeMs: OPENING_MS + MINUTE_MS + 4_999 })]])
    expect(open.events).toEqual([])
    const closed = stream([[print(0), print(1, { eventTimeMs: OPENING_MS + MINUTE_MS + 5_000 })]])
    expect(closed.events.map(bar)).toEqual([
      expect.objectContaining({ interval: '1m', startMs: OPENING_MS, closed: true }),
    ])
  })

  test('waits for every source of a bar', () => {
    const two = [print(0), print(0, { source: 'slow' })]
    const passing = print(1, { eventTimeMs: OPENING_MS + 2 * MINUTE_MS })
    expect(stream([[...two, passing]]).events).toEqual([])
    const slow = print(1, { source: 'slow', eventTimeMs: OPENING_MS + 2 * MINUTE_MS })
    expect(stream([[...two, passing, slow]]).events).toHaveLength(1)
  })

  test('closes the bars of a silent source whose watermark follows', () => {
    const state = openBarState(nobody)
    stream([[print(0)]], state)
    const fold = new Bars(codec).begin()
    fold.add({ state, work: workOf([], 1, [{ source: 'tape', watermarkMs: OPENING_MS + MINUTE_MS }]) })
    expect(fold.events.map(bar)).toEqual([expect.objectContaining({ startMs: OPENING_MS, closed: true })])
  })

  test('puts a print aside when its minute ended longer ago than the allowed lateness', () => {
    const passing = print(1, { eventTimeMs: OPENING_MS + 3 * MINUTE_MS + 5_000 })
    const { events, late } = stream([[print(0), passing, print(2)]])
    expect(late).toBe(1)
    expect(events.at(-1)).toMatchObject({ topic: 'stock-data.late', headers: { 'x-original-offset': '2' } })
  })
})

const barKey = ({ symbol, interval, startMs }: Bar) => `${symbol}|${interval}|${startMs}`

/** The state as the next owner opens it. */
const restored = ({ progress, symbols }: BarState): BarState =>
  openBarState({
    ...nobody,
    sources: progress.snapshot(),
    state: [...symbols].map(([key, own]) => ({ key, value: formatSymbolBars(own) })),
  })
