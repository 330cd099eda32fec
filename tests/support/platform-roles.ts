import { randomUUID } from 'node:crypto'
import { openCodec } from '../../platform/bus/codec.ts'
import { ConfluentSchemaRegistry } from '../../platform/bus/confluent-schema-registry.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { emptyDatabase } from './database.ts'
import { type PlatformProcess, startPlatform } from './platform-process.ts'
import { openStored, type Stored } from './stored.ts'

/** One platform on real servers, as processes of `main.ts` that each play one role. */
export interface PlatformRoles extends AsyncDisposable {
  /** Its own topics, channels and tables: nobody else's are met. */
  readonly environment: Readonly<Record<string, string>>
  readonly stored: Stored
  /** A process of this role, e.g. `['processor', 'ticks']`; resolves when it is ready. */
  start(args: readonly string[], extra?: Readonly<Record<string, string>>): Promise<PlatformProcess>
  /** What a source would: each fact on its topic. */
  tell(...facts: readonly Fact[]): Promise<void>
  /** Subgraphs and gateway, for whoever asks and listens. */
  startEdge(): Promise<{ readonly [R in 'market' | 'news' | 'gateway']: PlatformProcess }>
}

const { KAFKA_BROKERS, REDIS_URL, SCHEMA_REGISTRY_URL } = process.env

/** The real servers, each time under names of its own; undefined where the environment does not say where they are. */
export const realBackends =
  KAFKA_BROKERS && REDIS_URL
    ? (): Record<string, string> => {
        const own = `e2e-${randomUUID().slice(0, 8)}`
        return {
          KAFKA_BROKERS,
          KAFKA_PREFIX: `${own}.`,
          REDIS_URL,
          PUBSUB_PREFIX: own,
          ...(SCHEMA_REGISTRY_URL && { SCHEMA_REGISTRY_URL }),
        }
      }
    : undefined

/** What a whole platform can run on: with itself alone always, with the real servers where they are. */
export const everyBackend: readonly [name: string, environment: () => Record<string, string>][] = [
  ['embedded backends', () => ({})],
  ...(realBackends ? [['Kafka and Redis', realBackends] as [string, typeof realBackends]] : []),
]

export async function openRoles(backends: Readonly<Record<string, string>>): Promise<PlatformRoles> {
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await emptyDatabase())
  const stored = opening.use(await openStored('', database.url))
  const environment = { ...backends, DATABASE_URL: database.url }
  const processes: PlatformProcess[] = []
  opening.defer(async () => void (await Promise.all(processes.map((each) => each[Symbol.asyncDispose]()))))
  const start = async (args: readonly string[], extra: Readonly<Record<string, string>> = {}) => {
    const started = await startPlatform(args, { ...environment, ...extra })
    processes.push(started)
    await started.ready()
    return started
  }
  const opened = opening.move()
  return {
    environment,
    stored,
    start,
    tell: (...facts) => produce(environment, facts),
    async startEdge() {
      const [market, news] = await Promise.all([start(['subgraph', 'market']), start(['subgraph', 'news'])])
      const urls = { MARKET_SUBGRAPH_URL: market.url, NEWS_SUBGRAPH_URL: news.url }
      return { market, news, gateway: await start(['gateway'], urls) }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function produce(environment: Readonly<Record<string, string>>, facts: readonly Fact[]): Promise<void> {
  const { KAFKA_BROKERS: brokers = '', KAFKA_PREFIX: prefix = '', SCHEMA_REGISTRY_URL: url } = environment
  const codec = await openCodec(url ? new ConfluentSchemaRegistry({ url }) : new MemorySchemaRegistry())
  await using bus = await openKafkaBus({
    brokers: brokers.split(','),
    clientId: 'e2e',
    log: silentLog,
    metrics: openMetrics(),
  })
  for (const { topic, event } of facts) await bus.produce(prefix + topic, [codec.encode(topic, event)])
}
