import { afterEach, describe, expect, test } from 'vitest'
import type { DataQuality } from '../../domain/data-quality.ts'
import type { Tick } from '../../domain/tick.ts'
import type { EventBus } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { EVERY_KEY } from '../../platform/pubsub/pubsub.ts'
import { OPENING_MS, openProcessing, type Processing, print, symbolElsewhere } from '../support/processing.ts'

const SECOND_MS = 1_000
const brokers = process.env.KAFKA_BROKERS?.split(',')

const backends: [name: string, openBus: (metrics: Metrics) => Promise<EventBus>][] = [
  ['memory', async (metrics) => new MemoryBus({ log: silentLog, metrics })],
]
if (brokers)
  backends.push(['Kafka', (metrics) => openKafkaBus({ brokers, clientId: 'watch-test', log: silentLog, metrics })])

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000, interval: 20 })

/** Of each symbol a print every second, up and down by a cent. */
const calm = (seconds: number, symbols: readonly string[], fromMs = OPENING_MS): Tick[] =>
  Array.from({ length: seconds }, (_, i) =>
    symbols.map((symbol) => print({ symbol, price: 190 + (i % 2) / 100, eventTimeMs: fromMs + i * SECOND_MS })),
  ).flat()

describe.each(backends)('The watch on %s', (_name, openBus) => {
  let processing: Processing
  afterEach(async () => {
    await processing[Symbol.asyncDispose]()
  })
  const open = async () => {
    processing = await openProcessing({ openBus, topics: ['stock-data', 'data-quality'] })
    return processing
  }
  const kept = () => processing.select(`SELECT concat_ws(' ', kind, source, symbol) FROM data_quality ORDER BY 1`)
  const heard = async () => {
    const events: DataQuality[] = []
    await processing.pubsub.subscribe('dataQuality', EVERY_KEY, (event) => events.push(event))
    return events
  }
  /** Of the partitions together. */
  const readTo = async () => {
    const sum = `SELECT coalesce(sum(next_offset), 0)::int FROM stream_checkpoint WHERE app = 'watch'`
    const [offset] = await processing.select(sum)
    return offset
  }

  test('what it finds is on the bus, in the table and heard', async () => {
    const { start, produce, read, codec } = await open()
    const events = await heard()
    await start(['watch', 'quality'])
    await produce(...calm(60, ['AAPL']), print({ price: 200, eventTimeMs: OPENING_MS + 60 * SECOND_MS }))
    await produce(print({ eventTimeMs: OPENING_MS - SECOND_MS }))
    const expected = ['JUMP', 'OUT_OF_ORDER'].map((kind) => `${kind} test AAPL`)
    await eventually(kept).toEqual(expected)
    await eventually(() => events.map(({ kind, symbol }) => `${kind} ${symbol}`)).toEqual([
      'JUMP AAPL',
      'OUT_OF_ORDER AAPL',
    ])
    const onBus = await read('data-quality')
    expect(onBus.map(({ value }) => codec.decode('data-quality', value))).toEqual(events)
    expect(onBus[0]).toMatchObject({ key: 'AAPL', headers: { ce_type: 'updates.investor.DataQuality' } })
  })

  test('whoever hears of it can already query it', async () => {
    const { start, produce, pubsub, select } = await open()
    const found: Promise<unknown[]>[] = []
    await pubsub.subscribe('dataQuality', 'AAPL', ({ kind }) => {
      found.push(select('SELECT count(*)::int FROM data_quality WHERE kind = $1', kind))
    })
    await start(['watch', 'quality'])
    await produce(...calm(60, ['AAPL']), print({ price: 200, eventTimeMs: OPENING_MS + 60 * SECOND_MS }))
    await eventually(() => Promise.all(found)).toEqual([[1]])
  })

  test('watches that come and go in mid-stream find what one alone does', async () => {
    const { start, produce } = await open()
    const symbols = Array.from({ length: 12 }, (_, i) => `SYM${i}`)
    const first = await start(['watch', 'quality'], { batchSizeMax: 40 })
    const produced = (async () => {
      for (let i = 0; i < 120; i++) {
        const eventTimeMs = OPENING_MS + i * SECOND_MS
        // Each symbol jumps once, each at another time, and stays there.
        await produce(
          ...symbols.map((symbol, s) =>
            print({ symbol, price: (i < 40 + 5 * s ? 190 : 210) + (i % 2) / 100, eventTimeMs }),
          ),
        )
      }
    })()
    const second = await start(['watch'], { batchSizeMax: 40 })
    await eventually(readTo).toBeGreaterThan(200)
    await first[Symbol.asyncDispose]()
    await start(['watch', 'quality'], { batchSizeMax: 40 })
    await second[Symbol.asyncDispose]()
    await produced
    await eventually(kept).toEqual(symbols.map((symbol) => `JUMP test ${symbol}`).sort())
    await eventually(readTo).toBe(12 * 120)
    expect(processing.fatal).toEqual([])
  })

  test('when it reads the log from its beginning again, nobody is told a second time', async () => {
    const { start, produce, select, read } = await open()
    const events = await heard()
    const first = await start(['watch'])
    await start(['quality'])
    await produce(...calm(60, ['AAPL']), print({ price: 200, eventTimeMs: OPENING_MS + 60 * SECOND_MS }))
    await eventually(() => events.length).toBe(1)
    await first[Symbol.asyncDispose]()
    await select(`DELETE FROM stream_checkpoint WHERE app = 'watch'`)
    await select(`DELETE FROM keyed_state WHERE app = 'watch'`)
    await start(['watch'])
    await produce(print({ price: 190, eventTimeMs: OPENING_MS + 200 * SECOND_MS }))
    await eventually(kept).toHaveLength(2)
    await eventually(() => events.map(({ eventTimeMs }) => eventTimeMs - OPENING_MS)).toEqual([60_000, 200_000])
    // Last of all: who reads the log is a group that the bus then keeps records for.
    const onBus = await read('data-quality')
    const ids = onBus.map(({ headers }) => headers.ce_id)
    expect(ids).toEqual([ids[0], ids[0], expect.not.stringMatching(ids[0])])
    expect(onBus[1].value).toEqual(onBus[0].value)
  })

  test('a product that is alone in its partition is stale while its venue goes on elsewhere', async () => {
    const { start, produce } = await open()
    await start(['watch', 'quality'], { idleAfterMs: 600 })
    const of = (symbol: string) => ({ symbol, source: `coinbase:${symbol}` })
    const quiet = 'BTC-USD'
    const busy = symbolElsewhere(quiet)
    await produce(
      ...Array.from({ length: 100 }, (_, i) => print({ ...of(quiet), eventTimeMs: OPENING_MS + i * SECOND_MS })),
    )
    for (let at = OPENING_MS; (await kept()).length === 0; at += 5_000) {
      await produce(print({ ...of(busy), eventTimeMs: at }))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await kept()).toEqual(['STALE_SYMBOL coinbase:BTC-USD BTC-USD'])
  })
})
