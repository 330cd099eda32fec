import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventBus, OutgoingRecord } from '../../platform/bus/bus.ts'
import { openCodec } from '../../platform/bus/codec.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import { PrefixedBus } from '../../platform/bus/prefixed-bus.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { type Database, openDatabase } from '../../platform/store/database.ts'
import { startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'
import { migrate } from '../../platform/store/migrate.ts'
import type { Guards } from '../../processors/options.ts'
import { kafkaDev } from '../support/kafka-dev.ts'
import { random, tape } from './tape.ts'
import { type Verdict, verify } from './verify.ts'
import { Workers } from './workers.ts'

export type Fault = 'kill' | 'freeze' | 'broker' | 'database'

export interface ChaosOptions {
  readonly brokers: readonly string[]
  readonly ticks: number
  readonly ticksPerSecond: number
  readonly seed: number
  readonly faults: readonly Fault[]
  /** Guards that are switched off: then the verdict must be wrong. */
  readonly guards?: Partial<Guards>
  readonly say?: (line: string) => void
}

export interface ChaosResult extends Verdict {
  readonly faults: Readonly<Record<string, number>>
  readonly produced: number
  readonly counters: Readonly<Record<string, number>>
  readonly fatal: readonly string[]
}

const PARTITIONS = 12
const WORKERS = ['ticks', 'ticks', 'bars', 'bars', 'bars'] as const
const FREEZE_MS = 11_000
const PAUSE_MS_MIN = 1_500
const PAUSE_MS_SPREAD = 3_000
const BATCH = 200
const FINISH_MS_MAX = 120_000
/** Whoever was frozen gets time to do harm. */
const ZOMBIES_MS = 2_500

/** Ticks flow from Kafka through several processes into PostgreSQL while all of them are killed; then all is recounted. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { brokers, say = () => {} } = options
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(path.join(tmpdir(), 'investor-updates-chaos-'))
  await chmod(dir, 0o755)
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const postgres = stack.use(await startEmbeddedPostgres({ dataDir: path.join(dir, 'data'), log: silentLog }))
  await migrate(postgres.url, { log: silentLog })
  const database = stack.use(await openDatabase({ url: postgres.url, log: silentLog }))
  const prefix = `chaos-${randomUUID().slice(0, 8)}-`
  const metrics = openMetrics()
  const kafka = stack.use(await openKafkaBus({ brokers: brokers.slice(), clientId: 'chaos', log: silentLog, metrics }))
  const bus = new PrefixedBus(kafka, prefix)
  const topics = ['stock-data', 'stock-data.late', 'stock-data.dlq', 'stock-bars']
  await bus.createTopics(topics.map((name) => ({ name, partitions: PARTITIONS, retentionMs: 86_400_000 })))
  const codec = await openCodec(new MemorySchemaRegistry())

  const workers = new Workers({
    brokers,
    databaseUrl: postgres.url,
    prefix,
    // Watermarks of silent partitions follow the wall clock, which no recount could know.
    options: {
      batchSizeMax: 500,
      transactionTimeoutMs: 5_000,
      idleAfterMs: 3_600_000,
      ...(options.guards && { guards: options.guards }),
    },
  })
  stack.defer(async () => void (await workers.stop()))
  for (const processor of WORKERS) workers.start(processor)
  const producing = produce(bus, tape(options.ticks, options.seed, codec), options.ticksPerSecond)
  const faults = await harm(options, workers, database, () => postgres.pid, say)
  const produced = await producing
  say(`${produced} records produced`)
  await finished(bus, database, say)
  await sleep(ZOMBIES_MS)
  const counters = await workers.stop()
  const verdict = await verify(bus, codec, database.pool)
  return { ...verdict, faults, produced, counters, fatal: workers.fatal }
}

/** A rejected batch is produced again, the very same, until it is acknowledged. */
async function produce(bus: EventBus, records: Iterable<OutgoingRecord>, perSecond: number): Promise<number> {
  const startedMs = Date.now()
  let produced = 0
  for (const batch of inBatches(records)) {
    for (let acknowledged = false; !acknowledged; )
      acknowledged = await bus.produce('stock-data', batch).then(
        () => true,
        () => sleep(300, false),
      )
    produced += batch.length
    await sleep(Math.max(0, startedMs + (produced / perSecond) * 1000 - Date.now()))
  }
  return produced
}

function* inBatches(records: Iterable<OutgoingRecord>): Generator<OutgoingRecord[]> {
  let batch: OutgoingRecord[] = []
  for (const record of records) {
    batch.push(record)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function harm(
  { seed, faults }: ChaosOptions,
  workers: Workers,
  database: Database,
  postmaster: () => number,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const chance = random(seed + 1)
  const broker = kafkaDev()
  const inflict: Record<Fault, () => Promise<void>> = {
    kill: async () => {
      workers.pick(chance()).kill('SIGKILL')
    },
    // Longer than the session: a zombie with tasks, a queue and perhaps an open transaction.
    freeze: async () => {
      const child = workers.pick(chance())
      child.kill('SIGSTOP')
      setTimeout(() => child.kill('SIGCONT'), FREEZE_MS)
    },
    broker: async () => {
      await broker('kill')
      await broker('start')
    },
    // Not the one that is still being started again.
    database: async () => {
      for (let answers = false; !answers; )
        answers = await database.ping().then(
          () => true,
          () => sleep(200, false),
        )
      process.kill(postmaster(), 'SIGKILL')
    },
  }
  const done: Record<string, number> = {}
  await sleep(6_000)
  for (const fault of faults) {
    say(fault)
    await inflict[fault]()
    done[fault] = (done[fault] ?? 0) + 1
    await sleep(PAUSE_MS_MIN + PAUSE_MS_SPREAD * chance())
  }
  return done
}

/** Both processors are at the end of the log, and the relay has nothing left; or they never will be. */
async function finished(bus: EventBus, database: Database, say: (line: string) => void): Promise<void> {
  const untilMs = Date.now() + FINISH_MS_MAX
  while (Date.now() < untilMs) {
    await sleep(500)
    try {
      const ends = await bus.offsets('stock-data')
      const total = [...ends.values()].reduce((sum, { high }) => sum + high, 0)
      const { rows } = await database.pool.query<{ at: string; waiting: string }>(
        'SELECT (SELECT coalesce(sum(next_offset), 0) FROM stream_checkpoint) AS at, (SELECT count(*) FROM outbox) AS waiting',
      )
      if (Number(rows[0].at) >= 2 * total && Number(rows[0].waiting) === 0) return say('the processors are at the end')
    } catch (error) {
      say(`not yet: ${error}`)
    }
  }
  say('the processors did not come to the end')
}
