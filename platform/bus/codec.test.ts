import avro from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bar } from '../../domain/bar.ts'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { PRICE_MAX, SIZE_MAX, type Tick, tick } from '../../domain/tick.ts'
import { TickColumns } from '../../domain/tick-columns.ts'
import {
  aFiling,
  aHistoricalBar,
  anArticle,
  anObservation,
  aQualityEvent,
  aRelease,
  aSnapshot,
} from '../../tests/support/facts.ts'
import { ManualClock } from '../clock.ts'
import { openCodec } from './codec.ts'
import { MemorySchemaRegistry } from './memory-schema-registry.ts'
import { evolutionProblem } from './schema-evolution.ts'
import { TOPICS, type Topic, type Topics } from './topics.ts'
import { frame, type UnknownSchemaId } from './wire-format.ts'

const registry = new MemorySchemaRegistry()
const codec = await openCodec(registry)

const aapl = tick({
  symbol: 'AAPL',
  price: 190.25,
  size: 100,
  eventTimeMs: 1_381_152_600_123,
  ingestTimeMs: 1_795_420_000_000,
  seq: 7,
  source: 'replay:trades-2013-10-07',
  position: 6,
})
const bar: Bar = {
  symbol: 'AAPL',
  interval: '1m',
  startMs: 60_000,
  open: 2,
  high: 4,
  low: 1,
  close: 3,
  volume: 1_000,
  trades: 5,
  closed: true,
}
/** Of each topic a fact with nothing left out, then one with every null that there can be. */
const samples: { readonly [T in Topic]: readonly [whole: Topics[T], ...bare: Topics[T][]] } = {
  'stock-data': [aapl],
  'stock-bars': [bar],
  'stock-quotes': [aSnapshot(), aSnapshot({ previousClose: null, dayVolume: null })],
  'stock-history': [aHistoricalBar({ trades: 12 }), aHistoricalBar({ trades: null })],
  'news-data': [
    aFiling({ vendorSentiment: -0.5 }),
    anArticle({ vendorSentiment: null, filing: null, symbols: [], summary: '' }),
  ],
  'economic-data': [anObservation(), anObservation({ value: null })],
  'economic-releases': [aRelease({ releasesAtMs: 1_795_000_000_000 }), aRelease({ releasesAtMs: null })],
  'data-quality': [aQualityEvent(), aQualityEvent({ symbol: null })],
}
const topics = Object.keys(TOPICS) as Topic[]

// Beyond, avsc itself rounds negative numbers while it writes them.
const whole = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })
const anyTick = fc
  .record({
    symbol: fc.stringMatching(/^[A-Z0-9][A-Z0-9.\-/=^]{0,19}$/),
    price: fc.double({ min: 0, minExcluded: true, max: PRICE_MAX, noNaN: true }),
    size: fc.double({ min: 0, max: SIZE_MAX, noNaN: true }).map(Math.abs),
    eventTimeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    latencyMs: fc.integer({ min: -60_000, max: 1_000_000_000 }),
    seq: whole,
    source: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    position: whole,
  })
  .map(({ latencyMs, ...fields }) => tick({ ...fields, ingestTimeMs: fields.eventTimeMs + latencyMs }))

/** The reference: what avsc makes of the committed schema, without a line of ours. */
const avroTick = avro.Type.forSchema(JSON.parse(TOPICS['stock-data'].schema))
const framed = (fields: object) => frame(codec.schemaId('stock-data'), avroTick.toBuffer(fields))

const decodedRow = (value: Buffer, offset = 0): Tick => {
  const columns = new TickColumns(1)
  codec.decodeTick(value, offset, columns)
  return columns.at(0)
}

const thrownBy = (work: () => unknown): PlatformError => {
  try {
    work()
  } catch (error) {
    if (isPlatformError(error)) return error
    throw error
  }
  throw new Error('Expected an error')
}

test.each(topics)('what goes on %s comes back as it went in', (topic) => {
  for (const sample of samples[topic]) {
    const decoded = codec.decode(topic, codec.encode(topic, sample).value)
    // Strictly: plain objects all the way down, as the fact's own maker would have made them.
    expect(decoded).toStrictEqual(structuredClone(sample))
    expect(codec.decode(topic, codec.encode(topic, decoded).value)).toStrictEqual(decoded)
  }
})

test('the key of a tick is its symbol', () => {
  expect(codec.encode('stock-data', aapl).key).toBe('AAPL')
})

test('a tick is written byte for byte as Avro wants it', () => {
  fc.assert(
    fc.property(anyTick, (any) => {
      expect(codec.encode('stock-data', any).value).toEqual(framed(any))
    }),
  )
})

test('the fast reader reads every valid tick as Avro does', () => {
  fc.assert(
    fc.property(anyTick, (any) => {
      const value = framed(any)
      expect(decodedRow(value)).toEqual({ ...avroTick.fromBuffer(value.subarray(5)) })
    }),
  )
})

test('every whole number that a double can hold survives', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (seq) => {
      expect(decodedRow(codec.encode('stock-data', { ...aapl, seq }).value as Buffer).seq).toBe(seq)
    }),
  )
})

test('a row remembers the offset it came from', () => {
  const columns = new TickColumns(2)
  codec.decodeTick(framed(aapl), 41, columns)
  codec.decodeTick(framed(aapl), 42, columns)
  expect([...columns.offset]).toEqual([41, 42])
})

test('mangled bytes give a valid tick or a PlatformError, and nothing is appended with the error', () => {
  const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(anyTick, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(200), (any, changes, keep) => {
      const value = Buffer.from(framed(any))
      for (const { at, byte } of changes) value[at % value.length] = byte
      expectValidOrRefused(value.subarray(0, Math.max(1, value.length - (keep % 20))))
    }),
    { numRuns: 2_000 },
  )
})

test('arbitrary bytes give a PlatformError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expectValidOrRefused(frame(codec.schemaId('stock-data'), Buffer.from(bytes)))
      expectValidOrRefused(Buffer.from(bytes))
    }),
    { numRuns: 2_000 },
  )
})

function expectValidOrRefused(value: Buffer): void {
  const columns = new TickColumns(1)
  try {
    codec.decodeTick(value, 0, columns)
  } catch (error) {
    expect(error).toBeInstanceOf(PlatformError)
    expect(columns.length).toBe(0)
    return
  }
  expect(tick(columns.at(0))).toBeDefined()
}

test.each([
  ['a price that is not a number', { price: Number.NaN }],
  ['an infinite price', { price: Number.POSITIVE_INFINITY }],
  ['a negative price', { price: -1 }],
  ['an absurd price', { price: 1e12 }],
  ['a negative size', { size: -1 }],
  ['no symbol', { symbol: '' }],
  ['a symbol in lower case', { symbol: 'aapl' }],
  ['no source', { source: '' }],
  ['an event from the future', { eventTimeMs: aapl.ingestTimeMs + 3_600_000 }],
])('a tick with %s is refused by both readers, even from somebody else', (_what, wrong) => {
  const value = framed({ ...aapl, ...wrong })
  expect(thrownBy(() => decodedRow(value)).code).toBe('INVALID_EVENT')
  expect(thrownBy(() => codec.decode('stock-data', value)).code).toBe('INVALID_EVENT')
})

test('a broken bar from somebody else is refused', () => {
  const { value } = codec.encode('stock-bars', { ...bar, low: 3.5 })
  expect(thrownBy(() => codec.decode('stock-bars', value)).code).toBe('INVALID_EVENT')
})

test.each([
  ['a tombstone', null],
  ['an empty value', Buffer.alloc(0)],
  ['JSON', Buffer.from('{"symbol":"AAPL"}')],
  ['a cut tick', framed(aapl).subarray(0, 20)],
  ['bytes after the tick', Buffer.concat([framed(aapl), Buffer.from([1])])],
])('%s is undecodable, and the message says what was expected', (_what, value) => {
  for (const read of [() => codec.decode('stock-data', value), () => codec.decodeTick(value, 0, new TickColumns(1))]) {
    const error = thrownBy(read)
    expect(error.code).toBe('UNDECODABLE_EVENT')
    expect(error.message).toMatch(/^Expected 0x00, a schema id in four bytes and Avro, but /)
  }
})

test('a record of an unknown schema is told apart from a broken one, with the id', async () => {
  const error = thrownBy(() => decodedRow(frame(4_711, avroTick.toBuffer(aapl)))) as UnknownSchemaId
  expect([error.code, error.id]).toEqual(['SCHEMA_UNKNOWN', 4_711])
  expect(await codec.learn(4_711)).toBe(false)
})

test('what an earlier version wrote is read once its schema was learnt', async () => {
  const schema = JSON.parse(TOPICS['stock-data'].schema)
  const earlier = { ...schema, fields: schema.fields.filter((field: { name: string }) => field.name !== 'position') }
  const id = await registry.register('earlier', JSON.stringify(earlier), 'BACKWARD_TRANSITIVE')
  const value = frame(id, avro.Type.forSchema(earlier).toBuffer(aapl))
  expect(await codec.learn(id)).toBe(true)
  expect(decodedRow(value, 3)).toEqual({ ...aapl, position: -1 })
})

test('an article of an earlier version, before there were filings, is read without one', async () => {
  const schema = JSON.parse(TOPICS['news-data'].schema)
  const earlier = { ...schema, fields: schema.fields.filter((field: { name: string }) => field.name !== 'filing') }
  const id = await registry.register('earlier-news', JSON.stringify(earlier), 'BACKWARD_TRANSITIVE')
  const value = frame(id, avro.Type.forSchema(earlier).toBuffer(anArticle()))
  await codec.learn(id)
  expect(codec.decode('news-data', value)).toStrictEqual({ ...anArticle() })
})

test('a broken fact from somebody else is refused, whatever the topic', () => {
  const wrong: readonly [Topic, object][] = [
    ['stock-quotes', { ...aSnapshot(), price: -1 }],
    ['stock-history', { ...aHistoricalBar(), high: 1 }],
    ['news-data', { ...anArticle(), url: 'javascript:alert(1)' }],
    ['news-data', { ...aFiling(), kind: 'NEWS' }],
    ['economic-data', { ...anObservation(), date: '2026-02-30' }],
    ['economic-releases', { ...aRelease(), releaseId: '' }],
    ['data-quality', { ...aQualityEvent(), kind: 'ODD' }],
  ]
  for (const [topic, fields] of wrong) {
    const { value } = codec.encode(topic, fields as Topics[typeof topic])
    expect(thrownBy(() => codec.decode(topic, value)).code).toBe('INVALID_EVENT')
  }
})

test('a record of another kind is undecodable although its schema is known', async () => {
  const id = codec.schemaId('stock-bars')
  await codec.learn(id)
  const error = thrownBy(() => codec.decode('stock-data', codec.encode('stock-bars', bar).value))
  expect(error.message).toContain(`schema ${id} describes no updates.investor.Tick of stock-data`)
})

test('an id that the registry does not know is asked for again only after a while', async () => {
  const clock = new ManualClock()
  const asked: number[] = []
  const watched = new (class extends MemorySchemaRegistry {
    override async schema(id: number) {
      asked.push(id)
      return super.schema(id)
    }
  })()
  const patient = await openCodec(watched, clock)
  await patient.learn(9)
  await patient.learn(9)
  expect(asked).toEqual([9])
  await clock.advance(10_000)
  await patient.learn(9)
  expect(asked).toEqual([9, 9])
})

test('events carry CloudEvents headers whose id is the same whenever the same event is told', () => {
  const { headers } = codec.encode('stock-bars', bar)
  expect(headers).toEqual({
    ce_specversion: '1.0',
    ce_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/),
    ce_source: 'bars',
    ce_type: 'updates.investor.Bar',
    ce_time: '1970-01-01T00:02:00.000Z',
    ce_subject: 'AAPL',
    'content-type': 'application/avro',
  })
  expect(codec.encode('stock-bars', { ...bar }).headers).toEqual(headers)
  expect(codec.encode('stock-bars', { ...bar, trades: 6 }).headers?.ce_id).not.toBe(headers?.ce_id)
})

test('ticks carry no headers: every one of them would be decoded on the hot path', () => {
  expect(codec.encode('stock-data', aapl).headers).toBeUndefined()
})

test.each(topics)('the schema of %s has exactly the fields of its fact', (topic) => {
  const { fields } = JSON.parse(TOPICS[topic].schema) as { fields: { name: string }[] }
  expect(fields.map(({ name }) => name)).toEqual(Object.keys(samples[topic][0]))
})

test.each(topics)('the schema of %s may grow by a field with a default, and by no other', (topic) => {
  const { schema, compatibility } = TOPICS[topic]
  const grownBy = (field: object) => {
    const parsed = JSON.parse(schema)
    return JSON.stringify({ ...parsed, fields: [...parsed.fields, field] })
  }
  expect(evolutionProblem(grownBy({ name: 'venue', type: 'string', default: '' }), [schema], compatibility)).toBe(
    undefined,
  )
  expect(evolutionProblem(grownBy({ name: 'venue', type: 'string' }), [schema], compatibility)).toContain('version 1')
})
