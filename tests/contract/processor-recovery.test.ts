import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import type { EventBus } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { openDatabase } from '../../platform/store/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'
import { migrate } from '../../platform/store/migrate.ts'
import { rebase } from '../../platform/store/stream-checkpoints.ts'
import { testDatabase } from '../support/database.ts'
import { OPENING_MS, openProcessing, print } from '../support/processing.ts'

const brokers = process.env.KAFKA_BROKERS?.split(',')
const backends: [name: string, openBus: (metrics: Metrics) => Promise<EventBus>][] = [
  ['memory', async (metrics) => new MemoryBus({ log: silentLog, metrics })],
]
if (brokers)
  backends.push(['Kafka', (metrics) => openKafkaBus({ brokers, clientId: 'recovery-test', log: silentLog, metrics })])

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 60_000, interval: 100 })

let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

async function ownPostgres(): Promise<EmbeddedPostgres> {
  const dir = await mkdtemp(path.join(tmpdir(), 'investor-updates-recovery-'))
  await chmod(dir, 0o755)
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  return stack.use(await startEmbeddedPostgres({ dataDir: path.join(dir, 'data'), log: silentLog }))
}

describe.each(backends)('On %s', (_name, openBus) => {
  test('processors outlive a database that is killed in mid-stream, and every row and bar is right', async () => {
    const postgres = await ownPostgres()
    await migrate(postgres.url, { log: silentLog })
    const database = stack.use(await openDatabase({ url: postgres.url, log: silentLog }))
    const { start, produce, select, fatal } = stack.use(await openProcessing({ openBus, database }))
    await start(['ticks', 'bars'], { batchSizeMax: 50 })
    for (let i = 0; i < 200; i++) {
      if (i === 60 || i === 130) {
        await vi.waitFor(() => database.ping(), { timeout: 30_000 })
        // Under load it may be known to be back before its process id is.
        await vi.waitFor(() => process.kill(postgres.pid, 'SIGKILL'), { timeout: 30_000 })
      }
      await produce(...['AAPL', 'MSFT', 'IBM'].map((symbol) => print({ symbol, eventTimeMs: OPENING_MS + i * 200 })))
    }
    const count = (sql: string) => select(sql).catch((error: unknown) => String(error))
    await eventually(() => count('SELECT count(*)::int FROM stock_data')).toEqual([600])
    await eventually(() => count('SELECT trades::int FROM bars_1m')).toEqual([200, 200, 200])
    expect(fatal).toEqual([])
  })

  test('a record is delivered again until the registry can be asked for its schema', async () => {
    let asked = 0
    const registry = new MemorySchemaRegistry()
    const moody = {
      register: registry.register.bind(registry),
      ping: registry.ping.bind(registry),
      schema: async (id: number) => {
        if (asked++ < 2) throw new PlatformError('REGISTRY_UNAVAILABLE', 'The registry is away')
        return id === 4_242 ? ours : undefined
      },
    }
    const { start, produceRaw, codec, select } = stack.use(await openProcessing({ openBus, registry: moody }))
    const ours = await registry.schema(codec.schemaId('stock-data'))
    await start(['ticks'])
    const { value } = codec.encode('stock-data', print())
    const foreign = Buffer.from(value ?? '')
    foreign.writeInt32BE(4_242, 1)
    await produceRaw('AAPL', foreign)
    await eventually(() => select('SELECT count(*)::int FROM stock_data')).toEqual([1])
    expect(await select('SELECT count(*)::int FROM dead_letters')).toEqual([0])
    expect(asked).toBe(3)
  })
})

test('after a crash of the process with its bus, what one processor had done and another had not is done once', async () => {
  const database = stack.use(await testDatabase())
  const facts = [print({ size: 1 }), print({ size: 2 }), print({ size: 4 })]
  const memory = (firstOffsets?: (topic: string, partition: number) => number) => async (metrics: Metrics) =>
    new MemoryBus({ log: silentLog, metrics, ...(firstOffsets && { firstOffsets }) })
  {
    await using before = await openProcessing({ openBus: memory(), database, prefix: '' })
    await before.start(['ticks', 'bars'])
    await before.produce(facts[0])
    await eventually(() => before.select('SELECT sum(next_offset)::int FROM stream_checkpoint')).toEqual([2])
  }
  {
    await using ahead = await openProcessing({ openBus: memory(await firstOffsetsOf(database)), database, prefix: '' })
    await ahead.start(['ticks'])
    await ahead.produce(facts[1], facts[2])
    await eventually(() => ahead.select('SELECT count(*)::int FROM stock_data')).toEqual([3])
  }
  await using after = await openProcessing({ openBus: memory(await firstOffsetsOf(database)), database, prefix: '' })
  await after.start(['ticks', 'bars'])
  await after.produce(...facts)
  await eventually(() => after.select('SELECT volume FROM bars_1m')).toEqual([7])
  await eventually(() => after.select('SELECT sum(next_offset)::int FROM stream_checkpoint')).toEqual([12])
  expect(await after.select('SELECT count(*)::int FROM stock_data')).toEqual([3])
})

async function firstOffsetsOf({ pool }: Parameters<typeof openProcessing>[0]['database'] & object) {
  const offsets = await rebase(pool, ['stock-data'])
  return (topic: string, partition: number) => offsets.get(topic)?.get(partition) ?? 0
}
