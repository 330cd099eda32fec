import type { Kafka, Producer } from 'kafkajs'
import { isPlatformError } from '../../domain/errors.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import type { OutgoingRecord } from './bus.ts'
import { endsWithin } from './ends-within.ts'
import { answerOf, BRIEF_RETRY, busError, type KafkaConnection } from './kafka-client.ts'
import { SilenceWatch, SilentClient } from './kafka-silence.ts'
import { partitionOf } from './partition.ts'
import { recordBytes } from './record-size.ts'

export interface KafkaProducerContext {
  /** Made with BRIEF_RETRY: trying again is done here, where a request stays the same and the time is bounded. */
  readonly kafka: Kafka
  readonly connection: KafkaConnection
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly produceTimeoutMs: number
  /** A client that says nothing to its broker for longer, though it should produce, is replaced. */
  readonly silenceMs: number
  readonly closeTimeoutMs: number
}

/** The client groups a request's records in quadratic time: above this it gets slower, not faster. */
const REQUEST_RECORDS_MAX = 500
const REQUEST_BYTES_MAX = 900_000
/** The broker no longer knows this producer, or waits for a sequence number it will never get from it. */
const REPLACE = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
])

interface ConnectedProducer {
  readonly producer: Producer
  readonly watch: SilenceWatch
  readonly connected: Promise<void>
}

/**
 * Produces to one topic, one call after the other, each record stored exactly once as long as no call is rejected.
 *
 * A call whose acknowledgement was lost leaves its producer POISONED: the client takes its sequence numbers back, and the
 * broker, which may have stored them, answers "already have it" to whatever comes next with the same numbers. The next
 * batch would be acknowledged and never stored. So, in this order:
 *
 * - While a call lasts, a failed request is sent again unchanged by the same producer: the broker tells it apart.
 * - A call that was rejected in the end is remembered. Called again with the very same records it goes on with the same
 *   producer where it stopped, and nothing is stored twice.
 * - Called with other records, the producer is replaced first. Nothing is lost; what was rejected may have been stored, and
 *   may be stored again if it is produced later.
 * - A client that is silent, though it should produce, has lost the call and what becomes of it: a new one stores it, maybe
 *   again.
 *
 * Several brokers: when one leader has acknowledged its part of a request and another has not, the whole request is sent
 * again and the first part is stored twice. The position in each fact tells consumers.
 */
export class KafkaTopicProducer {
  readonly #topic: string
  readonly #context: KafkaProducerContext
  readonly #closing = new AbortController()
  #client: ConnectedProducer | undefined
  #waiting = 0
  #lastCall: Promise<unknown> = Promise.resolve()
  #rejected: { readonly records: readonly OutgoingRecord[]; readonly stored: number } | undefined

  constructor(topic: string, context: KafkaProducerContext) {
    this.#topic = topic
    this.#context = context
  }

  async produce(records: readonly OutgoingRecord[]): Promise<void> {
    const { metrics } = this.#context
    if (this.#waiting > 0) metrics.busBackpressure.inc({ topic: this.#topic })
    this.#waiting++
    const call = this.#lastCall.then(() => this.#produce(records))
    this.#lastCall = call.catch((error: unknown) => error)
    try {
      await call
      metrics.busProduced.inc({ topic: this.#topic }, records.length)
    } catch (error) {
      if (isPlatformError(error)) metrics.busProduceFailures.inc({ topic: this.#topic, code: error.code })
      throw error
    } finally {
      this.#waiting--
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#lastCall
    if (this.#client) await endsWithin(this.#context.closeTimeoutMs, this.#client.producer.disconnect())
  }

  async #produce(records: readonly OutgoingRecord[]): Promise<void> {
    const rejected = this.#rejected
    const again = rejected !== undefined && sameRecords(rejected.records, records)
    if (rejected && !again) this.#replace('another batch follows a rejected one')
    this.#rejected = undefined
    const deadlineMs = this.#context.clock.now() + this.#context.produceTimeoutMs
    let from = again ? rejected.stored : 0
    while (from < records.length) {
      const to = requestEnd(records, from)
      try {
        await this.#send(records.slice(from, to), deadlineMs)
      } catch (error) {
        // Too large is a refusal, not a doubt: the broker has stored nothing of it and the producer is sound.
        if (!isPlatformError(error, 'MESSAGE_TOO_LARGE')) this.#rejected = { records, stored: from }
        throw error
      }
      from = to
    }
  }

  async #send(records: readonly OutgoingRecord[], deadlineMs: number): Promise<void> {
    const { connection, clock, log } = this.#context
    const messages = records.map(({ key, value, headers }) => ({ key, value, ...(headers ? { headers } : {}) }))
    for (let attempt = 1; ; attempt++) {
      try {
        const { producer, watch, connected } = this.#connect()
        await watch.during(connected.then(() => producer.send({ topic: this.#topic, acks: -1, messages })))
        return
      } catch (error) {
        const answer = answerOf(error)
        if (answer === 'DUPLICATE_SEQUENCE_NUMBER') return
        const failure = busError(error, connection, `store ${records.length} records on ${this.#topic}`)
        if (error instanceof SilentClient || (answer !== undefined && REPLACE.has(answer)))
          this.#replace(failure.message)
        if (!failure.retryable || clock.now() >= deadlineMs || this.#closing.signal.aborted) throw failure
        log.warn({ topic: this.#topic, attempt, reason: failure.message }, 'records will be sent again')
        await clock.sleep(backOffMs(attempt), this.#closing.signal)
      }
    }
  }

  #connect(): ConnectedProducer {
    if (this.#client) return this.#client
    const { kafka, silenceMs } = this.#context
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: BRIEF_RETRY,
      createPartitioner: () => (place) => partitionOf(String(place.message.key), place.partitionMetadata.length),
    })
    const { REQUEST, REQUEST_TIMEOUT } = producer.events
    const watch = new SilenceWatch(silenceMs)
    for (const sign of [REQUEST, REQUEST_TIMEOUT]) producer.on(sign, () => watch.heard())
    const client = { producer, watch, connected: producer.connect() }
    this.#client = client
    client.connected.catch(() => {
      if (this.#client === client) this.#client = undefined
    })
    return client
  }

  #replace(why: string): void {
    const { log } = this.#context
    const old = this.#client
    this.#client = undefined
    log.warn({ topic: this.#topic, why }, 'the producer is replaced')
    old?.producer
      .disconnect()
      .catch((error: unknown) => log.debug({ err: error }, 'the old producer did not disconnect'))
  }
}

function requestEnd(records: readonly OutgoingRecord[], from: number): number {
  let bytes = 0
  let to = from
  while (to < records.length && to - from < REQUEST_RECORDS_MAX) {
    bytes += recordBytes(records[to])
    if (bytes > REQUEST_BYTES_MAX && to > from) break
    to++
  }
  return to
}

const sameRecords = (a: readonly OutgoingRecord[], b: readonly OutgoingRecord[]): boolean =>
  a.length === b.length &&
  a.every((record, i) => record === b[i] || (record.key === b[i].key && sameValue(record, b[i])))

const sameValue = ({ value: a }: OutgoingRecord, { value: b }: OutgoingRecord): boolean =>
  a === b || (a !== null && b !== null && a.equals(b))
