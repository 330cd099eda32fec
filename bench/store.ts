import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import type { Tick } from '../domain/tick.ts'
import type { EventBus } from '../platform/bus/bus.ts'
import { type EventCodec, openCodec } from '../platform/bus/codec.ts'
import { openKafkaBus } from '../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../platform/bus/memory-bus.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { PrefixedBus } from '../platform/bus/prefixed-bus.ts'
import { deadLetterTopic, lateTopic, TOPICS } from '../platform/bus/topics.ts'
import { systemClock } from '../platform/clock.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { MemoryPubSub } from '../platform/pubsub/memory-pubsub.ts'
import { copyInto, copyRows, TICK_COLUMNS } from '../platform/store/copy.ts'
import { type Database, openDatabase } from '../platform/store/database.ts'
import { startEmbeddedPostgres } from '../platform/store/embedded-postgres.ts'
import { migrate } from '../platform/store/migrate.ts'
import { float8Array, int8Array, textArray, timestamptzArray } from '../platform/store/pg-array.ts'
import { upsertQuotes } from '../platform/store/tick-writer.ts'
import { type ProcessorName, startProcessors } from '../processors/processors.ts'
import { Report } from './report.ts'
import { columnsOf, type Workload, workload } from './ticks.ts'

const ROUNDS = 3
const ROWS_PER_TRANSACTION = 10_000
const TABLES = 'stock_data, quotes, bars_1m, stream_checkpoint, keyed_state, outbox, dead_letters, instruments'

/** The loop that somebody would write instead: everything in memory, one connection, one transaction per 10,000 rows. */
type Append = (client: pg.PoolClient, batch: ReturnType<typeof columnsOf>[number]) => Promise<unknown>
const byCopy: Append = (client, batch) =>
  copyInto(client, `COPY stock_data (${TICK_COLUMNS}) FROM STDIN (FORMAT binary)`, copyRows([batch]))
const byUnnest: Append = (client, batch) => {
  const column = <T>(values: ArrayLike<T>) => [{ values, length: batch.length }]
  return client.query({
    name: 'bench-unnest',
    text: `INSERT INTO stock_data (${TICK_COLUMNS}) SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int8[],
             $4::text[], $5::float8[], $6::float8[], $7::timestamptz[]) ON CONFLICT DO NOTHING`,
    values: [
      textArray(column(batch.symbol)),
      timestamptzArray(column(batch.eventTimeMs)),
      int8Array(column(batch.seq)),
      textArray(column(batch.source)),
      float8Array(column(batch.price)),
      float8Array(column(batch.size)),
      timestamptzArray(column(batch.ingestTimeMs)),
    ],
  })
}

async function bareLoop(database: Database, ticks: readonly Tick[], append: Append): Promise<number> {
  const batches = columnsOf(ticks, ROWS_PER_TRANSACTION)
  const client = await database.checkout()
  await client.query('SET synchronous_commit = off')
  const started = performance.now()
  for (const batch of batches) {
    await client.query('BEGIN')
    await append(client, batch)
    const newest = new Map<string, { ticks: typeof batch; row: number }>()
    for (let row = 0; row < batch.length; row++) newest.set(batch.symbol[row], { ticks: batch, row })
    await upsertQuotes(client, newest)
    await client.query('COMMIT')
  }
  const elapsed = performance.now() - started
  client.release()
  return perSecond(ticks.length, elapsed)
}

const perSecond = (count: number, elapsedMs: number) => count / elapsedMs // thousands a second

/** From the bus to stored rows and quotes, by the processors as they run in production. */
async function processed(
  database: Database,
  bus: EventBus,
  codec: EventCodec,
  names: readonly ProcessorName[],
  count: number,
  feed: () => Promise<void>,
): Promise<number> {
  const metrics = openMetrics()
  const pubsub = new MemoryPubSub({ log: silentLog, metrics })
  const failed = Promise.withResolvers<never>()
  await using _running = await startProcessors(names, {
    bus,
    codec,
    database,
    publish: (channel, key, event) => pubsub.publish(channel, key, event),
    clock: systemClock,
    log: silentLog,
    metrics,
    onFatal: failed.reject,
  })
  const started = performance.now()
  const handled = async () => {
    const { values } = await metrics.processorRecords.get()
    return Math.min(...names.map((name) => values.find(({ labels }) => labels.processor === name)?.value ?? 0))
  }
  const done = async () => {
    while ((await handled()) < count) await systemClock.sleep(2)
  }
  await Promise.race([Promise.all([feed(), done()]), failed.promise])
  return perSecond(count, performance.now() - started)
}

async function withDatabase<T>(run: (database: Database) => Promise<T>): Promise<T> {
  const parent = mkdtempSync(join(tmpdir(), 'investor-updates-bench-'))
  chmodSync(parent, 0o755)
  try {
    await using server = await startEmbeddedPostgres({ dataDir: join(parent, 'data'), log: silentLog })
    await migrate(server.url, { log: silentLog })
    await using database = await openDatabase({ url: server.url, log: silentLog })
    return await run(database)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Alternates the cases, so that the machine's moods fall on all of them. */
async function alternate(
  database: Database,
  cases: Record<string, () => Promise<number>>,
): Promise<Record<string, number[]>> {
  const runs: Record<string, number[]> = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of Object.entries(cases)) {
      await database.pool.query(`TRUNCATE ${TABLES}`)
      await database.pool.query('CHECKPOINT')
      globalThis.gc?.()
      runs[name].push(await run())
    }
  return runs
}

const COPY = 'bare COPY + quotes loop'
const UNNEST = 'bare unnest + quotes loop'

function bare(database: Database, { ticks }: Workload) {
  return {
    [COPY]: () => bareLoop(database, ticks, byCopy),
    [UNNEST]: () => bareLoop(database, ticks, byUnnest),
  }
}

const PRODUCE_SIZE = 5_000

async function produce(bus: EventBus, codec: EventCodec, ticks: readonly Tick[]): Promise<void> {
  for (let i = 0; i < ticks.length; i += PRODUCE_SIZE)
    await bus.produce(
      'stock-data',
      ticks.slice(i, i + PRODUCE_SIZE).map((each) => codec.encode('stock-data', each)),
    )
}

export function storeEmbedded(): Promise<Report> {
  return withDatabase(async (database) => {
    const work = await workload()
    const report = new Report(`${work.name} → stored rows and quotes, embedded PostgreSQL`)
    const codec = await openCodec(new MemorySchemaRegistry())
    const through = async (names: readonly ProcessorName[]) => {
      const metrics = openMetrics()
      await using bus = new MemoryBus({ log: silentLog, metrics })
      await bus.createTopics(topics())
      return await processed(database, bus, codec, names, work.ticks.length, () => produce(bus, codec, work.ticks))
    }
    const runs = await alternate(database, {
      ...bare(database, work),
      'encode → in-process bus → processor ticks': () => through(['ticks']),
      'encode → in-process bus → processors ticks and bars': () => through(['ticks', 'bars']),
    })
    const median = print(report, runs)
    report.ratio(
      'processor ticks / bare COPY',
      median['encode → in-process bus → processor ticks'] / median[COPY],
      '≥ 0.6',
    )
    report.ratio(
      'ticks and bars / bare COPY',
      median['encode → in-process bus → processors ticks and bars'] / median[COPY],
    )
    return report
  })
}

export function storeKafka(): Promise<Report> {
  const brokers = process.env.KAFKA_BROKERS?.split(',')
  if (!brokers) throw new Error('store-kafka needs KAFKA_BROKERS; scripts/kafka-dev start gives one')
  return withDatabase(async (database) => {
    const work = await workload()
    const report = new Report(`${work.name} → stored rows and quotes, from a real Kafka`)
    const codec = await openCodec(new MemorySchemaRegistry())
    const metrics = openMetrics()
    const kafka = await openKafkaBus({ brokers, clientId: 'bench', log: silentLog, metrics })
    await using bus = new PrefixedBus(kafka, `bench-${randomUUID().slice(0, 8)}.`)
    await bus.createTopics(topics())
    const started = performance.now()
    await produce(bus, codec, work.ticks)
    report.figure('produced to Kafka', 'k ticks/s', [perSecond(work.ticks.length, performance.now() - started)])
    const nothing = async () => undefined
    const through = (names: readonly ProcessorName[]) =>
      processed(database, bus, codec, names, work.ticks.length, nothing)
    const runs = await alternate(database, {
      ...bare(database, work),
      'Kafka → processor ticks': () => through(['ticks']),
      'Kafka → processors ticks and bars in one process': () => through(['ticks', 'bars']),
    })
    const median = print(report, runs)
    report.ratio('processor ticks / bare COPY', median['Kafka → processor ticks'] / median[COPY], '≥ 0.55')
    report.ratio('processor ticks / bare unnest', median['Kafka → processor ticks'] / median[UNNEST], '≥ 1.3')
    return report
  })
}

const print = (report: Report, runs: Record<string, number[]>) =>
  Object.fromEntries(Object.entries(runs).map(([name, values]) => [name, report.figure(name, 'k ticks/s', values)]))

const topics = () =>
  Object.entries(TOPICS).flatMap(([name, { partitions, retentionMs }]) =>
    [name, lateTopic(name), deadLetterTopic(name)].map((each) => ({ name: each, partitions, retentionMs })),
  )
