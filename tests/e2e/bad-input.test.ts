import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Kafka, logLevel, type Message } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BusRecord } from '../../platform/bus/bus.ts'
import { type EventCodec, openCodec } from '../../platform/bus/codec.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import { partitionOf } from '../../platform/bus/partition.ts'
import { TOPICS } from '../../platform/bus/topics.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { emptyDatabase } from '../support/database.ts'
import { expectExact } from '../support/expect-exact.ts'
import { data, query, subscribe } from '../support/graphql.ts'
import { type PlatformProcess, startPlatform } from '../support/platform-process.ts'
import { realBackends } from '../support/platform-roles.ts'
import { readLog } from '../support/read-log.ts'
import { printsOf } from '../support/recomputation.ts'
import { openStored } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'

const seconds = (count: number) => ({ timeout: count * 1_000, interval: 50 })
const names = (count: number) => Array.from({ length: count }, (_, i) => `S${i}`)
const deep = (levels: number): string => (levels === 0 ? 'symbol' : `instrument { ${deep(levels - 1)} }`)

describe('a client that asks wrongly', () => {
  let platform: PlatformProcess
  beforeAll(async () => {
    platform = await startPlatform([], { SIMULATED_TICKS_PER_SECOND: '10' })
    await platform.ready()
  })
  afterAll(() => platform[Symbol.asyncDispose]())

  const QUOTES = 'query ($symbols: [ID!]!) { quotes(symbols: $symbols) { price } }'
  const TICKS = 'subscription ($symbols: [ID!]!) { ticks(symbols: $symbols) { price } }'

  test.each<[what: string, code: string, text: string, variables?: Record<string, unknown>]>([
    ['a document that is no GraphQL', 'GRAPHQL_PARSE_FAILED', '{ instrument(symbol: "SPY") { symbol }'],
    ['a field that does not exist', 'GRAPHQL_VALIDATION_FAILED', '{ instrument(symbol: "SPY") { ticker } }'],
    ['a missing argument', 'GRAPHQL_VALIDATION_FAILED', '{ instrument { symbol } }'],
    ['a variable of another type', 'BAD_USER_INPUT', QUOTES, { symbols: { all: true } }],
    ['a missing variable', 'BAD_USER_INPUT', QUOTES],
    ['a malformed symbol', 'INVALID_ARGUMENT', QUOTES, { symbols: ['not a symbol'] }],
    ['more symbols than are allowed', 'INVALID_ARGUMENT', QUOTES, { symbols: names(501) }],
    ['a page larger than is allowed', 'INVALID_ARGUMENT', '{ instruments(first: 100000) { edges { cursor } } }'],
    ['fields inside fields without end', 'LIMIT_EXCEEDED', `{ ${deep(20)} }`],
  ])('%s is answered with %s and a sentence', async (_what, code, text, variables) => {
    const { errors = [], data: found } = await query(platform.url, text, variables)
    expect(found ?? null).toBeNull()
    expect(errors.map(({ extensions }) => extensions?.code)).toContain(code)
    for (const { message } of errors) expect(message).toMatch(/^\w+ .{10,}/s)
    expect(JSON.stringify(errors)).not.toMatch(/stack|node_modules|\.ts:/)
  })

  test.each<[what: string, code: string, symbols: string[]]>([
    ['an unknown symbol', 'UNKNOWN_SYMBOL', ['NOBODY.HAS.IT']],
    ['a malformed symbol', 'INVALID_ARGUMENT', ['$$$']],
    ['no symbol at all', 'INVALID_ARGUMENT', []],
    ['more symbols than are allowed', 'INVALID_ARGUMENT', names(101)],
  ])('a subscription to %s is refused with %s', async (_what, code, symbols) => {
    using ticks = subscribe(platform.url, TICKS, { symbols })
    await ticks.ended
    expect(ticks.errors).toMatchObject([{ extensions: { code } }])
    expect(ticks.events).toEqual([])
  })

  test('an unknown symbol is no error of a query: there is nothing under it', async () => {
    expect(await data(platform.url, '{ instrument(symbol: "NOBODY.HAS.IT") { name } }')).toEqual({ instrument: null })
    expect(await data(platform.url, QUOTES, { symbols: ['NOBODY.HAS.IT'] })).toEqual({ quotes: [] })
  })

  test('a huge body is refused before it is read', async () => {
    // Its length is announced and nothing of it sent: a client in mid-upload may find the connection closed instead.
    const headers = { 'content-type': 'application/json', 'content-length': '5000000' }
    const upload = request(platform.url, { method: 'POST', headers })
    upload.flushHeaders()
    const [answer] = (await once(upload, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(413)
    expect(JSON.parse(await text(answer))).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] })
    upload.destroy()
  })

  test('none of it has hurt anybody else', async () => {
    expect(await data(platform.url, '{ instrument(symbol: "SPY") { symbol } }')).toEqual({
      instrument: { symbol: 'SPY' },
    })
    expect((await fetch(`${platform.origin}/ready`)).status).toBe(200)
    expect(platform.stderr()).toBe('')
  })
})

describe('a tape that is not in order', () => {
  test('is stored whole, and late and equal prints are in the bars where they belong', async () => {
    const rows = walk(4_000, 100)
    // Every tenth print a minute later than it happened, every hundredth twice.
    const late = rows.map((row, i) => ({ row, at: i % 10 === 3 ? i + 600 : i })).sort((a, b) => a.at - b.at)
    const tape = writeTape(late.flatMap(({ row }, i) => (i % 100 === 7 ? [row, row] : [row])))
    await using platform = await startPlatform(['--replay', tape, '--speed', 'max', '--exit-when-done'])
    expect(await platform.exited, platform.stderr()).toBe(0)
    await using stored = await openStored(platform.dataDir)
    await expectExact(stored, printsOf(tape))
  })
})

const backends = realBackends

if (backends)
  describe("somebody else's producer on Kafka", () => {
    const nowMs = Date.now()
    const print = (price: number, seq: number) => ({
      symbol: 'NEVER.SEEN',
      price,
      size: 1,
      eventTimeMs: nowMs,
      ingestTimeMs: nowMs,
      seq,
      source: 'vendor',
      position: -1,
    })
    const framed = (schemaId: number, bytes: Buffer) => {
      const frame = Buffer.alloc(5)
      frame.writeInt32BE(schemaId, 1)
      return Buffer.concat([frame, bytes])
    }
    const PARTITION = partitionOf('NEVER.SEEN', TOPICS['stock-data'].partitions)

    /** In the order they are produced, all to one partition; the code where it must become a dead letter. */
    const sent = (codec: EventCodec): { value: Buffer; code?: string; reason?: RegExp }[] => {
      const encode = (price: number, seq = price) =>
        codec.encode('stock-data', print(price, seq)).value ?? Buffer.alloc(0)
      return [
        { value: encode(1) },
        { value: Buffer.from('{"symbol":"AAPL"}'), code: 'UNDECODABLE_EVENT', reason: /first byte is 0x7b/ },
        { value: encode(2).subarray(0, 20), code: 'UNDECODABLE_EVENT', reason: /ends in the middle|bytes long/ },
        { value: framed(999_999, encode(3).subarray(5)), code: 'SCHEMA_UNKNOWN', reason: /schema 999999/ },
        { value: encode(Number.NaN, 4), code: 'INVALID_EVENT', reason: /price must be above 0.*NaN/ },
        { value: encode(-5, 5), code: 'INVALID_EVENT', reason: /price must be above 0.*-5/ },
        { value: encode(6) },
        // Sent a second time: it is the same print, and one row.
        { value: encode(6) },
      ]
    }

    test('puts what is no tick among the dead letters as it was, whence it can be sent again', async () => {
      await using database = await emptyDatabase()
      // The ids of the in-process registry are the same in every process.
      const { SCHEMA_REGISTRY_URL: _without, ...environment } = backends()
      const codec = await openCodec(new MemorySchemaRegistry())
      const messages = sent(codec)
      await using platform = await startPlatform(['processor'], { ...environment, DATABASE_URL: database.url })
      await platform.ready()
      await produce(
        environment,
        messages.map(({ value }) => ({ value, key: 'a key', partition: PARTITION, headers: { 'x-vendor': 'acme' } })),
      )

      await using stored = await openStored('', database.url)
      const prices = () => stored.rows("SELECT price FROM stock_data WHERE symbol = 'NEVER.SEEN' ORDER BY price")
      await expect.poll(prices, seconds(30)).toEqual([[1], [6]])
      const letters = (app: string) =>
        stored.rows<[number, string, string, Buffer]>(
          'SELECT "offset"::int, code, reason, value FROM dead_letters WHERE app = $1 AND topic = $2 AND part = $3 ORDER BY "offset"',
          [app, 'stock-data', PARTITION],
        )
      const expected = messages.flatMap(({ value, code, reason }, offset) =>
        code && reason ? [[offset, code, expect.stringMatching(reason), value]] : [],
      )
      // Each processor reads for itself, so each gives up for itself.
      const apps = ['ticks', 'bars', 'watch']
      for (const app of apps) await expect.poll(() => letters(app), seconds(20)).toEqual(expected)

      const told = await deadLetterRecords(environment, apps.length * expected.length)
      for (const [offset, { value, code }] of messages.entries()) {
        const ours = told.filter(({ headers }) => headers['x-original-offset'] === String(offset))
        expect(ours).toHaveLength(code ? apps.length : 0)
        for (const record of ours) {
          expect(record).toMatchObject({ key: 'a key', value })
          expect(record.headers).toMatchObject({
            'x-vendor': 'acme',
            'x-original-topic': 'stock-data',
            'x-original-partition': String(PARTITION),
            'x-error-code': code,
          })
        }
      }

      // docs/runbook.md: mended in SQL and handed to the outbox. Here the schema id was the only thing wrong.
      const mended = `overlay(value PLACING decode($1, 'hex') FROM 2 FOR 4)`
      await stored.rows(
        `INSERT INTO outbox (event_id, topic, key, value)
         SELECT concat_ws('|', 'again', topic, part, "offset"), topic, 'NEVER.SEEN', ${mended}
         FROM dead_letters WHERE app = 'ticks' AND topic = 'stock-data' AND code = 'SCHEMA_UNKNOWN'`,
        [codec.schemaId('stock-data').toString(16).padStart(8, '0')],
      )
      await expect.poll(prices, seconds(20)).toEqual([[1], [3], [6]])
    })
  })

async function produce(environment: Readonly<Record<string, string>>, messages: Message[]): Promise<void> {
  const kafka = new Kafka({ brokers: environment.KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: `${environment.KAFKA_PREFIX}stock-data`, messages })
  await producer.disconnect()
}

/** All that is on the dead-letter topic, once there are so many. */
async function deadLetterRecords(environment: Readonly<Record<string, string>>, count: number): Promise<BusRecord[]> {
  const brokers = environment.KAFKA_BROKERS.split(',')
  await using bus = await openKafkaBus({ brokers, clientId: 'dlq', log: silentLog, metrics: openMetrics() })
  const topic = `${environment.KAFKA_PREFIX}stock-data.dlq`
  const waiting = async () => [...(await bus.offsets(topic)).values()].reduce((sum, { high }) => sum + high, 0)
  await expect.poll(waiting, seconds(20)).toBe(count)
  return [...(await readLog(bus, topic)).values()].flat()
}
