import { afterEach, describe, expect, test } from 'vitest'
import type { Bar } from '../../domain/bar.ts'
import type { EventBus } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { TickUpdate } from '../../platform/pubsub/pubsub.ts'
import {
  OPENING_MS,
  openProcessing,
  type Processing,
  print,
  symbolBeside,
  symbolElsewhere,
} from '../support/processing.ts'

const MINUTE_MS = 60_000
const brokers = process.env.KAFKA_BROKERS?.split(',')

const backends: [name: string, openBus: (metrics: Metrics) => Promise<EventBus>][] = [
  ['memory', async (metrics) => new MemoryBus({ log: silentLog, metrics })],
]
if (brokers)
  backends.push(['Kafka', (metrics) => openKafkaBus({ brokers, clientId: 'processor-test', log: silentLog, metrics })])

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000, interval: 20 })

describe.each(backends)('Processors on %s', (_name, openBus) => {
  let processing: Processing
  afterEach(async () => {
    await processing[Symbol.asyncDispose]()
  })
  const open = async () => {
    processing = await openProcessing({ openBus })
    return processing
  }
  const stored = () => processing.select('SELECT count(*)::int FROM stock_data')
  const minutes = (symbol = 'AAPL') =>
    processing.select(
      `SELECT concat_ws('|', open, high, low, close, volume, trades) FROM bars_1m WHERE symbol = $1 ORDER BY time`,
      symbol,
    )
  const checkpoint = async (app: string) => {
    const [sum] = await processing.select(
      'SELECT coalesce(sum(next_offset), 0)::int FROM stream_checkpoint WHERE app = $1',
      app,
    )
    return sum
  }

  test('a tick becomes a row, a quote and a listed instrument', async () => {
    const { start, produce, select } = await open()
    await start(['ticks'])
    await produce(print({ price: 190, seq: 1 }), print({ price: 191, seq: 2 }))
    await eventually(stored).toEqual([2])
    expect(await select(`SELECT price FROM quotes WHERE symbol = 'AAPL'`)).toEqual([191])
    expect(await select('SELECT name FROM instruments')).toEqual(['AAPL'])
  })

  test('whoever hears of a tick can already query it', async () => {
    const { start, produce, pubsub, select } = await open()
    const found: Promise<unknown[]>[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }: TickUpdate) => {
      found.push(select('SELECT count(*)::int FROM stock_data WHERE seq = $1', ticks[ticks.length - 1].seq))
    })
    await start(['ticks'])
    await produce(print())
    await eventually(() => Promise.all(found)).toEqual([[1]])
  })

  test('a listener hears the ticks of its symbol in order', async () => {
    const { start, produce, pubsub } = await open()
    const seqs: number[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }) => seqs.push(...ticks.map(({ seq }) => seq)))
    await start(['ticks'])
    for (let seq = 1; seq <= 50; seq++) await produce(print({ seq }), print({ symbol: 'MSFT', seq }))
    await eventually(() => seqs.length).toBe(50)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
  })

  test('a fact that was produced twice is one row and counts once in its bar', async () => {
    const { start, produce, metrics } = await open()
    await start(['ticks', 'bars'])
    const [first, second] = [print({ size: 10 }), print({ size: 5 })]
    await produce(first, second)
    await produce(first, second, print({ size: 1 }))
    await eventually(stored).toEqual([3])
    await eventually(() => minutes()).toEqual(['190|190|190|190|16|3'])
    const { values } = await metrics.processorDuplicates.get()
    expect(values.map(({ value }) => value)).toEqual([2, 2])
  })

  test('a print that its source told under two positions is one row', async () => {
    const { start, produce, pubsub } = await open()
    const told: number[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }) => told.push(...ticks.map(({ position }) => position)))
    await start(['ticks'])
    const one = print({ seq: 7 })
    await produce(one)
    await eventually(stored).toEqual([1])
    await produce({ ...one, position: one.position + 1 }, print({ seq: 8, position: one.position + 2 }))
    await eventually(stored).toEqual([2])
    await eventually(() => told).toEqual([one.position, one.position + 2])
  })

  test('a print that came twice within one transaction is heard once', async () => {
    const { start, produce, pubsub } = await open()
    const told: number[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }) => told.push(...ticks.map(({ position }) => position)))
    const one = print({ seq: 7 })
    await produce(one, { ...one, position: one.position + 1 })
    await start(['ticks'])
    await eventually(stored).toEqual([1])
    await eventually(() => told).toEqual([one.position])
  })

  test('a processor that starts again goes on from its checkpoint', async () => {
    const { start, produce, metrics } = await open()
    const first = await start(['ticks', 'bars'])
    await produce(print(), print())
    await eventually(stored).toEqual([2])
    await eventually(() => checkpoint('bars')).toBe(2)
    await first[Symbol.asyncDispose]()
    await produce(print())
    await start(['ticks', 'bars'])
    await eventually(stored).toEqual([3])
    await eventually(() => minutes()).toEqual(['190|190|190|190|30|3'])
    const { values } = await metrics.processorDuplicates.get()
    expect(values.every(({ value }) => value === 0)).toBe(true)
  })

  test('a source of any name is remembered by a processor that starts again', async () => {
    const { start, produce, select } = await open()
    const one = print({ source: '__proto__' })
    const trades = () => select('SELECT trades::int FROM bars_1m')
    const first = await start(['bars'])
    await produce(one)
    await eventually(trades).toEqual([1])
    await first[Symbol.asyncDispose]()
    await start(['bars'])
    await produce(one, print())
    await eventually(trades).toEqual([2])
  })

  test('a record that is no tick goes to the dead letters and the next is handled', async () => {
    const { start, produce, produceRaw, read, select } = await open()
    await start(['ticks'])
    await produceRaw('AAPL', Buffer.from('not Avro'))
    await produce(print())
    await eventually(stored).toEqual([1])
    expect(await select('SELECT code FROM dead_letters')).toEqual(['UNDECODABLE_EVENT'])
    await eventually(() => read('stock-data.dlq')).toHaveLength(1)
    const [letter] = await read('stock-data.dlq')
    expect(letter.value?.toString()).toBe('not Avro')
    expect(letter.headers).toMatchObject({ 'x-original-topic': 'stock-data', 'x-error-code': 'UNDECODABLE_EVENT' })
    expect(letter.headers['x-error-reason']).toContain('its first byte')
  })

  test('a record of a schema that nobody knows goes to the dead letters with that reason', async () => {
    const { start, produce, codec, select, produceRaw } = await open()
    await start(['bars'])
    const { value } = codec.encode('stock-data', print())
    const foreign = Buffer.from(value ?? '')
    foreign.writeInt32BE(987_654, 1)
    await produceRaw('AAPL', foreign)
    await produce(print())
    await eventually(() => minutes()).toHaveLength(1)
    expect(await select('SELECT code FROM dead_letters')).toEqual(['SCHEMA_UNKNOWN'])
  })

  test('a late print corrects a closed bar, and the bus hears both', async () => {
    const { start, produce, read, codec, pubsub } = await open()
    const told: Bar[] = []
    await pubsub.subscribe('bar', 'AAPL:1m', (bar) => told.push(bar))
    await start(['bars'])
    await produce(print({ price: 190 }), print({ eventTimeMs: OPENING_MS + MINUTE_MS + 5_000 }))
    await eventually(() => told.some(({ closed }) => closed)).toBe(true)
    await produce(print({ price: 200, eventTimeMs: OPENING_MS + 1 }))
    await eventually(() => minutes()).toEqual(['190|200|190|200|20|2', '190|190|190|190|10|1'])
    await eventually(() => read('stock-bars')).toHaveLength(2)
    const events = (await read('stock-bars')).map(({ value }) => codec.decode('stock-bars', value))
    expect(events.map(({ close, trades, closed }) => ({ close, trades, closed }))).toEqual([
      { close: 190, trades: 1, closed: true },
      { close: 200, trades: 2, closed: true },
    ])
  })

  test('a tick outside the partition of its symbol goes to the dead letters, and its bar stays right', async () => {
    const { start, bus, codec, produce, select } = await open()
    await start(['ticks', 'bars'], { lanes: 1 })
    const { value } = codec.encode('stock-data', print({ price: 500 }))
    await bus.produce('stock-data', [{ key: symbolElsewhere('AAPL'), value }])
    await produce(print({ price: 190, size: 10 }))
    await eventually(() => minutes()).toEqual(['190|190|190|190|10|1'])
    await eventually(stored).toEqual([1])
    await eventually(() => select(`SELECT reason FROM dead_letters WHERE app = 'bars'`)).toEqual([
      expect.stringMatching(/^A tick of AAPL belongs to partition \d+ of stock-data and was in \d+/),
    ])
  })

  test('a print after the allowed lateness goes to the late topic with its bytes, and its row is stored', async () => {
    const { start, produce, read, codec } = await open()
    await start(['ticks', 'bars'])
    await produce(print(), print({ eventTimeMs: OPENING_MS + 4 * MINUTE_MS }))
    const late = print({ eventTimeMs: OPENING_MS + 30_000 })
    await produce(late)
    await eventually(() => read('stock-data.late')).toHaveLength(1)
    const [record] = await read('stock-data.late')
    expect(record.value).toEqual(codec.encode('stock-data', late).value)
    expect(record.headers['x-original-topic']).toBe('stock-data')
    await eventually(stored).toEqual([3])
    expect(await minutes()).toEqual(['190|190|190|190|10|1', '190|190|190|190|10|1'])
  })

  test('an old tape is not late where the ticks of another source are newer', async () => {
    const { start, produce, select } = await open()
    await start(['bars'])
    const then = OPENING_MS - 10 * 365 * 24 * 60 * MINUTE_MS
    await produce(print(), print({ eventTimeMs: OPENING_MS + 10 * MINUTE_MS }))
    await produce(print({ source: 'tape', position: 0, eventTimeMs: then }))
    await eventually(() => minutes()).toHaveLength(3)
    expect(await select('SELECT count(*)::int FROM outbox WHERE topic LIKE $1', '%late')).toEqual([0])
  })

  test('a bar that is final stays as it is when a slower source comes to it', async () => {
    const { start, produce, read } = await open()
    await start(['bars'])
    await produce(print({ price: 190 }), print({ eventTimeMs: OPENING_MS + 30 * MINUTE_MS }))
    await eventually(() => minutes()).toHaveLength(2)
    await produce(print({ price: 300, source: 'delayed', position: 0 }))
    await eventually(() => read('stock-data.late')).toHaveLength(1)
    expect((await minutes())[0]).toBe('190|190|190|190|10|1')
  })

  test('longer bars are told as they change', async () => {
    const { start, produce, pubsub } = await open()
    const hour: Bar[] = []
    await pubsub.subscribe('bar', 'AAPL:1h', (bar) => hour.push(bar))
    await start(['bars'])
    await produce(
      print({ price: 190, eventTimeMs: OPENING_MS }),
      print({ price: 195, eventTimeMs: OPENING_MS + 7 * MINUTE_MS }),
    )
    await eventually(() => hour.at(-1)).toMatchObject({ open: 190, close: 195, trades: 2, closed: false })
  })

  test('the last bar of a quiet symbol closes while the same source is heard in other partitions', async () => {
    const { start, produce, pubsub } = await open()
    const closed: Bar[] = []
    await pubsub.subscribe('bar', 'AAPL:1m', (bar) => bar.closed && closed.push(bar))
    await start(['bars'], { idleAfterMs: 600 })
    const busy = symbolElsewhere('AAPL')
    await produce(print())
    for (let at = OPENING_MS; closed.length === 0; at += 10_000) {
      await produce(print({ symbol: busy, eventTimeMs: at }))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(closed[0]).toMatchObject({ startMs: OPENING_MS, trades: 1 })
  })

  test('processors that come and go in mid-stream leave every bar exact', async () => {
    const { start, produce } = await open()
    const symbols = Array.from({ length: 30 }, (_, i) => `SYM${i}`)
    const first = await start(['ticks', 'bars'], { batchSizeMax: 20 })
    const produced = (async () => {
      for (let i = 0; i < 60; i++)
        await produce(
          ...symbols.map((symbol, s) =>
            print({ symbol, price: 100 + ((i * 7 + s) % 13), eventTimeMs: OPENING_MS + i * 900 }),
          ),
        )
    })()
    const second = await start(['ticks', 'bars'], { batchSizeMax: 20 })
    await first[Symbol.asyncDispose]()
    await start(['ticks', 'bars'], { batchSizeMax: 20 })
    await second[Symbol.asyncDispose]()
    await produced
    await eventually(stored).toEqual([1800])
    await eventually(() => processing.select('SELECT sum(trades)::int FROM bars_1m')).toEqual([1800])
    expect(await processing.select('SELECT count(*)::int FROM bars_1m WHERE trades <> 60')).toEqual([0])
    expect(processing.fatal).toEqual([])
  })

  test('an offset that the bus no longer holds ends the processor with a sentence', async () => {
    const { start, produce, database, fatal } = await open()
    const first = await start(['ticks'])
    await produce(print())
    await eventually(stored).toEqual([1])
    await first[Symbol.asyncDispose]()
    await database.pool.query('UPDATE stream_checkpoint SET next_offset = 1000000')
    await start(['ticks'])
    await eventually(() => fatal.map(String)).toEqual([expect.stringMatching(/offset 1000000 of .*stock-data/)])
  })

  test('a symbol beside it in the partition does not share its bar', async () => {
    const { start, produce } = await open()
    await start(['bars'])
    const other = symbolBeside('AAPL')
    await produce(print(), print({ symbol: other, price: 50 }))
    await eventually(() => minutes(other)).toEqual(['50|50|50|50|10|1'])
    expect(await minutes()).toEqual(['190|190|190|190|10|1'])
  })
})
