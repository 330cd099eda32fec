import { PlatformError } from '../domain/errors.ts'
import type { EventBus, TopicSettings } from './bus/bus.ts'
import { type EventCodec, openCodec } from './bus/codec.ts'
import { ConfluentSchemaRegistry } from './bus/confluent-schema-registry.ts'
import { openKafkaBus } from './bus/kafka-bus.ts'
import { MemoryBus } from './bus/memory-bus.ts'
import { MemorySchemaRegistry } from './bus/memory-schema-registry.ts'
import { PrefixedBus } from './bus/prefixed-bus.ts'
import { DEAD_LETTER_RETENTION_MS, deadLetterTopic, lateTopic, TOPICS } from './bus/topics.ts'
import { type Config, kafkaSecurity } from './config.ts'
import type { Health } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { MemoryPubSub } from './pubsub/memory-pubsub.ts'
import type { PubSub } from './pubsub/pubsub.ts'
import { RedisPubSub } from './pubsub/redis-pubsub.ts'
import { type Database, openDatabase } from './store/database.ts'
import { startEmbeddedPostgres } from './store/embedded-postgres.ts'
import { migrate } from './store/migrate.ts'
import { rebase } from './store/stream-checkpoints.ts'

/** What every role of one process shares to open its backends. */
export interface Surroundings {
  readonly config: Config
  readonly lifecycle: Lifecycle
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
}

/** The database of the configuration, migrated; the embedded one where none is configured. */
export async function openStore(around: Surroundings): Promise<Database> {
  const { config, lifecycle, log, metrics, health } = around
  const url = config.DATABASE_URL ?? (await embeddedDatabase(around))
  await lifecycle.start('migrations', () => migrate(url, { log, timescale: config.TIMESCALE }))
  const database = await lifecycle.start('store', () =>
    openDatabase({ url, poolMax: config.DATABASE_POOL_MAX, log, metrics }),
  )
  health.addCheck('store', () => database.ping())
  return database
}

async function embeddedDatabase({ config, lifecycle, log, metrics }: Surroundings): Promise<string> {
  const dataDir = config.DATA_DIR
  const server = await lifecycle.start('embedded PostgreSQL', () => startEmbeddedPostgres({ dataDir, log, metrics }))
  return server.url
}

export interface OpenBus {
  readonly bus: EventBus
  readonly codec: EventCodec
}

/**
 * Kafka of the configuration, with all topics made; the in-process bus where none is configured. That one goes on where the
 * checkpoints in the database are.
 */
export async function openBus(around: Surroundings, database: Database): Promise<OpenBus> {
  const { config, lifecycle, log, health } = around
  const codec = await lifecycle.start('schema registry', () =>
    openCodec(
      config.SCHEMA_REGISTRY_URL
        ? new ConfluentSchemaRegistry({ url: config.SCHEMA_REGISTRY_URL })
        : new MemorySchemaRegistry(),
    ),
  )
  const bus = await lifecycle.start('bus', () => openEventBus(around, database))
  await bus.createTopics(topicSettings())
  health.addCheck('bus', () => bus.ping())
  log.debug({ kafka: config.KAFKA_BROKERS }, 'Bus is open')
  return { bus, codec }
}

async function openEventBus({ config, log, metrics }: Surroundings, database: Database): Promise<EventBus> {
  if (config.KAFKA_BROKERS) {
    const kafka = await openKafkaBus({
      brokers: config.KAFKA_BROKERS,
      clientId: 'investor-updates',
      ...(config.KAFKA_REPLICATION_FACTOR && { replicationFactor: config.KAFKA_REPLICATION_FACTOR }),
      ...kafkaSecurity(config),
      log,
      metrics,
    })
    return config.KAFKA_PREFIX === '' ? kafka : new PrefixedBus(kafka, config.KAFKA_PREFIX)
  }
  const firstOffsets = await rebase(database.pool, Object.keys(TOPICS))
  return new MemoryBus({
    log,
    metrics,
    firstOffsets: (topic, partition) => firstOffsets.get(topic)?.get(partition) ?? 0,
  })
}

function topicSettings(): TopicSettings[] {
  return Object.entries(TOPICS).flatMap(([name, { partitions, retentionMs }]) => [
    { name, partitions, retentionMs },
    { name: lateTopic(name), partitions, retentionMs },
    { name: deadLetterTopic(name), partitions, retentionMs: DEAD_LETTER_RETENTION_MS },
  ])
}

/** Redis of the configuration; listeners within this process where none is configured. */
export async function openPubSub({ config, lifecycle, log, metrics, health }: Surroundings): Promise<PubSub> {
  const url = config.REDIS_URL
  const pubsub = await lifecycle.start('pubsub', async () => {
    if (url === undefined) return new MemoryPubSub({ log, metrics })
    const redis = new RedisPubSub({ url, prefix: config.PUBSUB_PREFIX, log, metrics })
    // A wrong address is said now; an outage later is waited out.
    await redis.ping().catch(async (error: unknown) => {
      await redis[Symbol.asyncDispose]()
      throw error instanceof PlatformError
        ? error
        : new PlatformError('PUBSUB_UNAVAILABLE', String(error), { cause: error })
    })
    return redis
  })
  health.addCheck('pubsub', () => pubsub.ping())
  return pubsub
}
