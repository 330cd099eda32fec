import type { Admin, Kafka } from 'kafkajs'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import type { BusConsumer, ConsumeOptions, EventBus, OffsetRange, OutgoingRecord, TopicSettings } from './bus.ts'
import { endsWithin } from './ends-within.ts'
import { KafkaAdmin } from './kafka-admin.ts'
import { BRIEF_RETRY, busError, type KafkaConnection, kafkaClient } from './kafka-client.ts'
import { KafkaConsumer } from './kafka-consumer.ts'
import { KafkaTopicProducer } from './kafka-producer.ts'
import { RecentRecords } from './recent-records.ts'
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
  /** A client that has asked its broker nothing for so long is replaced; one that reads, where its group has not answered. */
  readonly silenceMs?: number
  /** A question about topics, offsets or the cluster that takes longer is given up. */
  readonly answerTimeoutMs?: number
}

const CREATE_ATTEMPTS_MAX = 8

/** @throws BUS_UNAVAILABLE where no broker answers; INVALID_CONFIG where it refuses who we are */
export async function openKafkaBus(options: KafkaBusOptions): Promise<EventBus> {
  const bus = new KafkaBus(options)
  await bus.reach()
  return bus
}

/** Apache Kafka by kafkajs: docs/decisions/0001-kafkajs.md says why, and which of its habits the rules here are for. */
class KafkaBus implements EventBus {
  /** For producers and questions. */
  readonly #brief: Kafka
  /** For consumers, whose clients try for longer before a new one takes their place. */
  readonly #patient: Kafka
  readonly #admin: KafkaAdmin
  readonly #options: Required<Omit<KafkaBusOptions, keyof KafkaConnection>> & KafkaConnection
  readonly #producers = new Map<string, KafkaTopicProducer>()
  readonly #consumers = new Set<BusConsumer>()
  readonly #recent = new RecentRecords()
  #closed = false

  constructor(options: KafkaBusOptions) {
    this.#brief = kafkaClient(options, options.log, BRIEF_RETRY)
    this.#patient = kafkaClient(options, options.log)
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
      silenceMs: options.silenceMs ?? 20_000,
      answerTimeoutMs: options.answerTimeoutMs ?? 20_000,
    }
    const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 }
    this.#admin = new KafkaAdmin({ ...this.#options, client: () => this.#brief.admin({ retry }) })
  }

  async reach(): Promise<void> {
    await this.#ask('be reached', async () => undefined)
  }

  async createTopics(topics: readonly TopicSettings[]): Promise<void> {
    const { clock } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        const existing = new Set(await this.#admin.ask((admin) => admin.listTopics()))
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
    const created = topics.map(({ name, partitions, retentionMs, compacted }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: this.#options.replicationFactor,
      configEntries: [
        { name: 'retention.ms', value: String(retentionMs) },
        { name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' },
      ],
    }))
    await this.#admin.ask((admin) => admin.createTopics({ waitForLeaders: true, topics: created }))
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
        recent: this.#recent,
        onLeft: (left) => this.#consumers.delete(left),
      },
      options,
    )
    this.#consumers.add(consumer)
    await consumer.open()
    return consumer
  }

  async offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    const offsets = await this.#ask(`tell the offsets of ${topic}`, (admin) => admin.fetchTopicOffsets(topic))
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]))
  }

  async ping(): Promise<void> {
    if (this.#closed) throw closed()
    const { pingTimeoutMs } = this.#options
    const answer = this.#ask('describe the cluster', (admin) => admin.describeCluster())
    if (!(await endsWithin(pingTimeoutMs, answer)))
      throw this.#failure(new Error(`no answer within ${pingTimeoutMs} ms`), 'describe the cluster')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#consumers].map((consumer) => consumer[Symbol.asyncDispose]()))
    await Promise.all([...this.#producers.values()].map((producer) => producer.close()))
    await this.#admin.close()
  }

  #producerOf(topic: string): KafkaTopicProducer {
    const known = this.#producers.get(topic)
    if (known) return known
    const producer = new KafkaTopicProducer(topic, {
      ...this.#options,
      kafka: this.#brief,
      connection: this.#options,
    })
    this.#producers.set(topic, producer)
    return producer
  }

  async #committed(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const [{ partitions }] = await this.#ask(`tell the offsets of ${groupId}`, (admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    )
    return new Map(
      partitions.map(({ partition, offset }) => [partition, Number(offset)] as const).filter(([, at]) => at >= 0),
    )
  }

  async #ask<Answer>(what: string, question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#admin.ask(question)
    } catch (error) {
      throw this.#failure(error, what)
    }
  }

  #failure(error: unknown, what: string): PlatformError {
    return isPlatformError(error) ? error : busError(error, this.#options, what)
  }
}

const closed = () => new PlatformError('BUS_UNAVAILABLE', 'The bus was closed')
