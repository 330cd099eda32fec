import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { isPlatformError } from '../../domain/errors.ts'
import { tick } from '../../domain/tick.ts'
import { TickColumns } from '../../domain/tick-columns.ts'
import { openCodec } from '../../platform/bus/codec.ts'
import { ConfluentSchemaRegistry } from '../../platform/bus/confluent-schema-registry.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import type { SchemaRegistry } from '../../platform/bus/schema-registry.ts'
import { TOPICS } from '../../platform/bus/topics.ts'
import { frame } from '../../platform/bus/wire-format.ts'
import { unique } from '../support/bus.ts'
import { VendorServer } from '../support/vendors/vendor-server.ts'

const registries: [name: string, open: () => SchemaRegistry][] = [['memory', () => new MemorySchemaRegistry()]]
const url = process.env.SCHEMA_REGISTRY_URL
if (url) registries.push(['a real schema registry', () => new ConfluentSchemaRegistry({ url })])

const article = (...extra: object[]) =>
  JSON.stringify({
    type: 'record',
    name: 'Article',
    namespace: 'updates.investor',
    fields: [{ name: 'title', type: 'string' }, ...extra],
  })
const optional = { name: 'language', type: 'string', default: 'en' }
const demanded = { name: 'language', type: 'string' }

const aapl = tick({
  symbol: 'AAPL',
  price: 190.25,
  size: 100,
  eventTimeMs: 1_381_152_600_123,
  ingestTimeMs: 1_795_420_000_000,
  seq: 7,
  source: 'simulated',
  position: 6,
})

describe.each(registries)('the schema registry: %s', (_name, open) => {
  test('the same schema has the same id, in another process too', async () => {
    const subject = unique('subject')
    const registry = open()
    const id = await registry.register(subject, article(), 'BACKWARD_TRANSITIVE')
    expect(await registry.register(subject, article(), 'BACKWARD_TRANSITIVE')).toBe(id)
    expect(await open().register(subject, article(), 'BACKWARD_TRANSITIVE')).toBe(id)
  })

  test('the same new subject may be registered by many at once', async () => {
    const subjects = Array.from({ length: 5 }, () => unique('subject'))
    const registry = open()
    for (const subject of subjects) {
      const six = Array.from({ length: 6 }, () => registry.register(subject, article(), 'BACKWARD_TRANSITIVE'))
      const ids = await Promise.all(six)
      expect(new Set(ids).size).toBe(1)
    }
  })

  test('a schema is found by its id', async () => {
    const registry = open()
    const id = await registry.register(unique('subject'), article(), 'BACKWARD_TRANSITIVE')
    const found = await registry.schema(id)
    expect(JSON.parse(String(found)).fields).toMatchObject([{ name: 'title', type: 'string' }])
  })

  test('an id that was never given is unknown, which is no error', async () => {
    expect(await open().schema(2_000_000_000)).toBeUndefined()
  })

  test.each(['BACKWARD_TRANSITIVE', 'FULL_TRANSITIVE'] as const)(
    'under %s a field with a default may be added',
    async (compatibility) => {
      const registry = open()
      const subject = unique('subject')
      const first = await registry.register(subject, article(), compatibility)
      expect(await registry.register(subject, article(optional), compatibility)).not.toBe(first)
    },
  )

  test('a field without a default is refused with a sentence', async () => {
    const registry = open()
    const subject = unique('subject')
    await registry.register(subject, article(), 'BACKWARD_TRANSITIVE')
    await expect(registry.register(subject, article(demanded), 'BACKWARD_TRANSITIVE')).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
      message: expect.stringContaining(subject),
    })
  })

  test('under FULL_TRANSITIVE a field that earlier readers need may not be taken away', async () => {
    const registry = open()
    const subject = unique('subject')
    await registry.register(subject, article(demanded), 'FULL_TRANSITIVE')
    await expect(registry.register(subject, article(), 'FULL_TRANSITIVE')).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    })
  })

  test('every version counts, not only the last', async () => {
    const registry = open()
    const subject = unique('subject')
    await registry.register(subject, article(), 'BACKWARD_TRANSITIVE')
    await registry.register(subject, article(optional), 'BACKWARD_TRANSITIVE')
    // Reads the second version, but not the first, which has no language.
    await expect(registry.register(subject, article(demanded), 'BACKWARD_TRANSITIVE')).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
    })
  })

  test('what one process writes another reads', async () => {
    const registry = open()
    const writer = await openCodec(registry)
    const reader = await openCodec(registry)
    expect(reader.decode('stock-data', writer.encode('stock-data', aapl).value)).toEqual(aapl)
  })

  test('a record of an earlier version is read once its id was learnt', async () => {
    const registry = open()
    const codec = await openCodec(registry)
    const schema = JSON.parse(TOPICS['stock-data'].schema)
    const earlier = { ...schema, fields: schema.fields.filter((field: { name: string }) => field.name !== 'position') }
    const id = await registry.register(unique('earlier'), JSON.stringify(earlier), 'BACKWARD_TRANSITIVE')
    const value = frame(id, avro.Type.forSchema(earlier).toBuffer(aapl))
    const columns = new TickColumns(1)
    expect(() => codec.decodeTick(value, 0, columns)).toThrow(`schema ${id}, which is not known here`)
    expect(await codec.learn(id)).toBe(true)
    codec.decodeTick(value, 0, columns)
    expect(columns.at(0)).toEqual({ ...aapl, position: -1 })
  })

  test('a wrong schema id, and broken Avro under a right one, are told apart', async () => {
    const codec = await openCodec(open())
    const codeOf = (value: Buffer) => {
      try {
        codec.decodeTick(value, 0, new TickColumns(1))
      } catch (error) {
        return isPlatformError(error) ? error.code : error
      }
      return 'decoded'
    }
    const avroOfTick = codec.encode('stock-data', aapl).value?.subarray(5) ?? Buffer.alloc(0)
    expect(codeOf(frame(2_000_000_000, avroOfTick))).toBe('SCHEMA_UNKNOWN')
    expect(await codec.learn(2_000_000_000)).toBe(false)
    expect(codeOf(frame(codec.schemaId('stock-data'), avroOfTick.subarray(0, 20)))).toBe('UNDECODABLE_EVENT')
  })

  test('it answers a ping', async () => {
    await open().ping()
  })
})

describe('a schema registry that is not there', () => {
  const registry = new ConfluentSchemaRegistry({ url: 'http://user:s3cret@127.0.0.1:1' })

  test.each([
    ['a ping', () => registry.ping()],
    ['a registration', () => registry.register('subject', article(), 'BACKWARD_TRANSITIVE')],
    ['a look-up', () => registry.schema(1)],
  ])('is named when %s fails, without the password', async (_what, ask) => {
    const failure = await ask().then(
      () => undefined,
      (error: Error) => error,
    )
    expect(failure).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    expect(failure?.message).toContain('The schema registry at http://127.0.0.1:1 cannot be asked')
    expect(failure?.message).not.toContain('s3cret')
  })
})

describe('a schema registry that does not answer', () => {
  const silent = async (times?: number) => {
    const server = await VendorServer.start({
      answer: () => ({ body: { id: 17, compatibilityLevel: 'BACKWARD_TRANSITIVE' } }),
    })
    server.fail({ kind: 'hang' }, times)
    return server
  }
  const register = ({ url }: VendorServer) =>
    new ConfluentSchemaRegistry({ url, requestTimeoutMs: 200 }).register('subject', article(), 'BACKWARD_TRANSITIVE')

  test.each([1, 2])('%i times is asked again, and its answer counts', async (times) => {
    await using server = await silent(times)
    expect(await register(server)).toBe(17)
    expect(server.failed).toBe(times)
  })

  test('at all is given up', async () => {
    await using server = await silent()
    await expect(register(server)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
    expect(server.failed).toBe(3)
  })
})
