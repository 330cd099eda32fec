import type { Admin, Kafka } from 'kafkajs'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import type { BusConsumer, ConsumeOptions, EventBus, OffsetRange, OutgoingRecord, TopicSettings } from './bus.ts'
import { endsWithin } from './ends-within.ts'
import { BRIEF_RETRY, busError, type KafkaConnection, kafkaClient } from './kafka-client.ts'
import { KafkaConsumer } from './kafka-consumer.ts'
import { KafkaTopicProducer } from './kafka-producer.ts'
import { checkSizes, RECORD_BYTES_MAX } from './record-size.ts'

export interface KafkaBusOptions extends KafkaConnection {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock?: Clock
  /** Left out: the cluster's own default. */
  readonly replicationFactor?: number
  readonly recordBytesMax?: number
  /** How long one `produce` tries before it is rejected. What is on its way then is waited for. */
  readonly produceTimeoutMs?: number
  /** A member that is silent for longer loses its partitions. Brokers refuse less than 6 s by default. */
  readonly sessionTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly openTimeoutMs?: number
  readonly closeTimeoutMs?: number
  readonly pingTimeoutMs?: number
  /** A consumer whose client has asked its broker nothing for so long gets a new one. */
  readonly silenceMs?: number
}

const CREATE_ATTEMPTS_MAX = 8

/** @throws BUS_UNAVAILABLE where no broker answers; INVALID_CONFIG where it refuses who we are */
export async function openKafkaBus(options: KafkaBusOptions): Promise<EventBus> {
  const brief = kafkaClient(options, options.log, BRIEF_RETRY)
  const admin = brief.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 500 } })
  try {
    await admin.connect()
  } catch (error) {
    throw busError(error, options, 'be reached')
  }
  return new KafkaBus(brief, admin, options)
}

/** Apache Kafka by kafkajs: docs/decisions/0001-kafkajs.md says why, and which of its habits the rules here are for. */
class KafkaBus implements EventBus {
  /** For producers. */
  readonly #brief: Kafka
  /** For consumers, which the client itself takes back into their groups. */
  readonly #patient: Kafka
  readonly #admin: Admin
  readonly #options: Required<Omit<KafkaBusOptions, keyof KafkaConnection>> & KafkaConnection
  readonly #producers = new Map<string, KafkaTopicProducer>()
  readonly #consumers = new Set<BusConsumer>()
  #closed = false

  constructor(brief: Kafka, admin: Admin, options: KafkaBusOptions) {
    this.#brief = brief
    this.#patient = kafkaClient(options, options.log)
    this.#admin = admin
    this.#options = {
      ...options,
      clock: options.clock ?? systemClock,
      replicationFactor: options.replicationFactor ?? -1,
      recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
      produceTimeoutMs: options.produceTimeoutMs ?? 30_000,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 6_000,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? 1_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 10_000,
      openTimeoutMs: options.openTimeoutMs ?? 30_000,
      closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
      pingTimeoutMs: options.pingTimeoutMs ?? 3_000,
      silenceMs: options.silenceMs ?? 30_000,
    }
  }

  async createTopics(topics: readonly TopicSettings[]): Promise<void> {
    const { clock } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        const existing = new Set(await this.#admin.listTopics())
        const missing = topics.filter(({ name }) => !existing.has(name))
        if (missing.length > 0) await this.#create(missing)
        // The controller has named the leaders before the brokers know that they are.
        await Promise.all(topics.map(({ name }) => this.offsets(name)))
        return
      } catch (error) {
        // Just after a start, brokers answer "unknown topic" to the creation of topics.
        const failure = this.#failure(error, `create ${topics.map(({ name }) => name).join(', ')}`)
        if (!failure.retryable || attempt >= CREATE_ATTEMPTS_MAX) throw failure
        await clock.sleep(backOffMs(attempt))
      }
    }
  }

  async #create(topics: readonly TopicSettings[]): Promise<void> {
    await this.#admin.createTopics({
      waitForLeaders: true,
      topics: topics.map(({ name, partitions, retentionMs, compacted }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: this.#options.replicationFactor,
        configEntries: [
          { name: 'retention.ms', value: String(retentionMs) },
          { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' },
        ],
      })),
    })
  }

  async produce(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) throw closed()
    checkSizes(topic, records, this.#options.recordBytesMax)
    if (records.length > 0) await this.#producerOf(topic).produce(records)
  }

  async settled(): Promise<void> {}

  async consume(options: ConsumeOptions): Promise<BusConsumer> {
    if (this.#closed) throw closed()
    const consumer = new KafkaConsumer(
      {
        ...this.#options,
        kafka: this.#patient,
        connection: this.#options,
        offsets: (topic) => this.offsets(topic),
        committed: (group, topic) => this.#committed(group, topic),
        onLeft: (left) => this.#consumers.delete(left),
      },
      options,
    )
    this.#consumers.add(consumer)
    await consumer.open()
    return consumer
  }

  async offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    try {
      const offsets = await this.#admin.fetchTopicOffsets(topic)
      return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]))
    } catch (error) {
      throw this.#failure(error, `tell the offsets of ${topic}`)
    }
  }

  async ping(): Promise<void> {
    if (this.#closed) throw closed()
    const { pingTimeoutMs } = this.#options
    const answer = this.#admin.describeCluster().catch((error: unknown) => {
      throw this.#failure(error, 'describe the cluster')
    })
    if (!(await endsWithin(pingTimeoutMs, answer)))
      throw this.#failure(new Error(`no answer within ${pingTimeoutMs} ms`), 'describe the cluster')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#consumers].map((consumer) => consumer[Symbol.asyncDispose]()))
    await Promise.all([...this.#producers.values()].map((producer) => producer.close()))
    await this.#admin.disconnect()
  }

  #producerOf(topic: string): KafkaTopicProducer {
    const known = this.#producers.get(topic)
    if (known) return known
    const { clock, log, metrics, produceTimeoutMs } = this.#options
    const context = { kafka: this.#brief, connection: this.#options, clock, log, metrics, produceTimeoutMs }
    const producer = new KafkaTopicProducer(topic, context)
    this.#producers.set(topic, producer)
    return producer
  }

  async #committed(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    try {
      const [{ partitions }] = await this.#admin.fetchOffsets({ groupId, topics: [topic] })
      return new Map(
        partitions.map(({ partition, offset }) => [partition, Number(offset)] as const).filter(([, at]) => at >= 0),
      )
    } catch (error) {
      throw this.#failure(error, `tell the offsets of ${groupId}`)
    }
  }

  #failure(error: unknown, what: string): PlatformError {
    return isPlatformError(error) ? error : busError(error, this.#options, what)
  }
}

const closed = () => new PlatformError('BUS_UNAVAILABLE', 'The bus was closed')
