import type { Batch, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { PlatformError } from '../../domain/errors.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import type { BusConsumer, BusRecord, ConsumeOptions, OffsetRange, RecordBatch } from './bus.ts'
import { endsWithin } from './ends-within.ts'
import { answerOf, type KafkaConnection } from './kafka-client.ts'
import { KafkaMember } from './kafka-member.ts'
import { KafkaRecord } from './kafka-record.ts'
import type { Recent, RecentRecords, Trail } from './recent-records.ts'
import { offsetLost, startingOffsets } from './starting-offsets.ts'
import { RunningCalls, Stint } from './stint.ts'

export interface KafkaConsumerContext {
  readonly kafka: Kafka
  readonly connection: KafkaConnection
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly openTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly silenceMs: number
  readonly offsets: (topic: string) => Promise<ReadonlyMap<number, OffsetRange>>
  readonly committed: (group: string, topic: string) => Promise<ReadonlyMap<number, number>>
  /** It has left its group, for whatever reason, and will not come back. */
  readonly onLeft: (consumer: KafkaConsumer) => void
  /** What the consumers of this bus have just read. */
  readonly recent: RecentRecords
}

const FETCH_BYTES_MAX = 131_072
const RESPONSE_BYTES_MAX = 8 * 1_048_576
/** At the client's default, five seconds, a paused consumer takes five seconds to notice anything. */
const FETCH_WAIT_MS = 300
/** Each costs a little with every fetch, whether it has something to do or not. */
const PARTITIONS_AT_ONCE_MAX = 12
const HINT_INTERVAL_MS = 2_000
/** Answers after which the client joins the group again in any case, so that an assignment will follow. */
const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

/** The client's type leaves out where it asked to start, which tells whether it jumped. */
type FetchedBatch = Batch & { readonly fetchedOffset: string }

class KafkaStint extends Stint {
  high = 0
  /** The offset at which a jump ahead was seen once and read again. */
  jumpSeenAt = -1
  /** A batch of it is being handled. */
  handing = false
  /** Where those who hold records back find what this consumer reads. */
  trail: Trail | undefined
  /** It is not fetched: what another consumer of this process reads is taken. */
  follows = false
}

/**
 * A member of a consumer group. The client's own offsets and its rebalance are not trusted with correctness: at each
 * assignment everything is paused at once, the position is asked for, compared with what the broker holds, and only then
 * sought and resumed, in one synchronous step. The client would otherwise deliver from the old position, and reset an
 * offset that is gone without a word.
 */
export class KafkaConsumer implements BusConsumer {
  readonly #context: KafkaConsumerContext
  readonly #options: ConsumeOptions
  readonly #member: KafkaMember
  readonly #stints = new Map<number, KafkaStint>()
  readonly #calls = new RunningCalls()
  readonly #joined = Promise.withResolvers<void>()
  #hasJoined = false
  readonly #closing = new AbortController()
  readonly #hints = new Map<number, number>()
  #hintTimer: NodeJS.Timeout | undefined
  #committing: Promise<void> | undefined
  /** Closing has waited long enough for batches that are being handled. */
  #abandoned = false

  constructor(context: KafkaConsumerContext, options: ConsumeOptions) {
    this.#context = context
    this.#options = options
    this.#member = new KafkaMember({
      ...context,
      group: options.group,
      topic: options.topic,
      client: () => this.#client(),
      partitionsAtOnceMax: PARTITIONS_AT_ONCE_MAX,
      onAssigned: (partitions) => this.#onAssigned(partitions),
      onRevoked: () => this.#revoke(),
      eachBatch: (payload) => this.#eachBatch(payload),
    })
  }

  #client(): Consumer {
    const { kafka, sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs } = this.#context
    const { group, fetchBytesMax = FETCH_BYTES_MAX, lingerMs = 0 } = this.#options
    return kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxBytesPerPartition: fetchBytesMax,
      maxBytes: RESPONSE_BYTES_MAX,
      // Half of what one partition may bring: where there is more to read than that, nobody waits.
      minBytes: lingerMs > 0 ? fetchBytesMax / 2 : 1,
      maxWaitTimeInMs: lingerMs > 0 ? lingerMs : FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      // It is the member that begins anew.
      retry: { retries: 30, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    })
  }

  /** @throws BUS_UNAVAILABLE where no assignment comes in time */
  async open(): Promise<void> {
    const { openTimeoutMs } = this.#context
    this.#member.hold().catch((error: unknown) => this.#fail(error))
    try {
      if (!(await endsWithin(openTimeoutMs, this.#joined.promise)))
        throw this.#unavailable(`no assignment came within ${openTimeoutMs} ms`)
    } catch (error) {
      this.#closing.abort()
      await this.#leave()
      throw error
    }
    // It may have ended already: at an offset that is gone.
    if (this.#closing.signal.aborted) return
    this.#hintTimer = setInterval(() => void this.#commitHints(), HINT_INTERVAL_MS)
    const { lingerMs = 0 } = this.#options
    if (lingerMs > 0) this.#followOthers(lingerMs).catch((error: unknown) => this.#fail(error))
  }

  get assigned(): readonly number[] {
    return [...this.#stints.keys()]
  }

  processed(partition: number, nextOffset: number): void {
    if (this.#stints.has(partition)) this.#hints.set(partition, nextOffset)
  }

  reposition(partitions: readonly number[]): void {
    const mine = partitions.filter((partition) => this.#stints.has(partition))
    for (const partition of mine) this.#end(partition)
    this.#assign(mine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    const { closeTimeoutMs } = this.#context
    await endsWithin(closeTimeoutMs, this.#calls.ended())
    this.#abandoned = true
    await endsWithin(closeTimeoutMs, this.#commitHints())
    this.#revoke()
    await this.#leave()
  }

  // ---- ownership

  #onAssigned(partitions: readonly number[]): void {
    this.#revoke()
    if (this.#closing.signal.aborted) return
    this.#assign(partitions)
    this.#hasJoined = true
    this.#joined.resolve()
  }

  #revoke(): void {
    if (this.#stints.size === 0) return
    for (const partition of [...this.#stints.keys()]) this.#end(partition)
    this.#options.onRevoked?.()
  }

  #assign(partitions: readonly number[]): void {
    if (partitions.length === 0) return
    // Now and not later: nothing may be fetched from the old position.
    this.#member.pause(partitions)
    const stints = partitions.map((partition) => new KafkaStint(partition))
    for (const stint of stints) this.#stints.set(stint.partition, stint)
    this.#start(stints).catch((error: unknown) => this.#fail(error))
  }

  async #start(stints: readonly KafkaStint[]): Promise<void> {
    const { clock, log, offsets, committed } = this.#context
    const { group, topic, position } = this.#options
    const known = await startingOffsets({
      group,
      topic,
      partitions: stints.map(({ partition }) => partition),
      ranges: () => offsets(topic),
      position,
      processed: () => committed(group, topic),
      current: () => stints.some(({ live }) => live) && !this.#closing.signal.aborted,
      clock,
      log,
    })
    if (!known || this.#closing.signal.aborted) return
    const positioned = stints.filter(({ live }) => live)
    for (const stint of positioned) {
      const offset = known.get(stint.partition) ?? 0
      this.#seek(stint, offset)
      if (!this.#options.lingerMs) stint.trail = this.#context.recent.lead(topic, stint.partition, offset)
    }
    this.#member.resume(positioned.map(({ partition }) => partition))
  }

  #seek(stint: KafkaStint, offset: number): void {
    stint.next = offset
    this.#member.seek(stint.partition, offset)
  }

  #end(partition: number): void {
    const stint = this.#stints.get(partition)
    if (stint) stint.live = false
    stint?.trail?.end()
    this.#stints.delete(partition)
    this.#hints.delete(partition)
  }

  // ---- delivery

  async #eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const stint = this.#stints.get(batch.partition)
    // Not resolved, so it comes again from where the new assignment seeks to.
    if (!stint?.live || stint.follows || stint.next === undefined) return
    if (!isRunning() || isStale() || this.#closing.signal.aborted) return
    stint.high = Number(batch.highWatermark)
    if (!(await this.#continues(stint, stint.next, Number((batch as FetchedBatch).fetchedOffset)))) return
    const nextOffset = Number(batch.lastOffset()) + 1
    const records = batch.messages.map((message) => new KafkaRecord(message, Number(message.offset)))
    if (this.#context.recent.isWanted(batch.topic))
      stint.trail?.add(stint.next, { records, nextOffset, high: stint.high })
    await this.#staying(stint, heartbeat, this.#deliver(stint, records, nextOffset))
    if (stint.live && stint.next >= nextOffset) resolveOffset(batch.lastOffset())
  }

  /** Whether the batch starts where the stint must go on. Where the log was cut on either side, the consumer ends. */
  async #continues(stint: KafkaStint, next: number, fetchedOffset: number): Promise<boolean> {
    const { topic, group } = this.#options
    const ahead = fetchedOffset > next
    if (stint.high >= next && (!ahead || stint.jumpSeenAt === next)) return true
    const range = (await this.#context.offsets(topic)).get(stint.partition)
    if (!stint.live || !range) return false
    if (next < range.low || next > range.high) {
      this.#fail(offsetLost(group, topic, stint.partition, next, range))
      return false
    }
    // Markers of transactions and compacted records are jumped over, but so is whatever was fetched before a seek back:
    // read again from the right place. The second time the jump is the log's own.
    stint.jumpSeenAt = next
    this.#seek(stint, next)
    return false
  }

  #deliver(stint: KafkaStint, records: readonly BusRecord[], nextOffset: number): Promise<void> {
    stint.handing = true
    return this.#calls
      .run(stint.partition, () => this.#hand(stint, records, nextOffset))
      .finally(() => {
        stint.handing = false
      })
  }

  async #hand(stint: KafkaStint, fetched: readonly BusRecord[], nextOffset: number): Promise<void> {
    const { clock, log } = this.#context
    const { partition } = stint
    const { group, topic, onBatch } = this.#options
    // A batch that was being handled when a heartbeat failed is fetched again.
    const records = fetched.filter(({ offset }) => offset >= (stint.next ?? 0))
    const handed: RecordBatch = { topic, partition, records, nextOffset }
    for (let attempt = 1; stint.live && records.length > 0; attempt++) {
      try {
        await onBatch(handed, () => stint.live)
        break
      } catch (error) {
        if (!stint.live) return
        log.warn({ err: error, group, topic, partition, attempt }, 'a batch will be delivered again')
        await clock.sleep(backOffMs(attempt), this.#closing.signal)
        if (this.#closing.signal.aborted) return
      }
    }
    if (stint.live) stint.next = Math.max(stint.next ?? 0, nextOffset)
  }

  /** Waits for the work and stays in the group meanwhile. What is left running by a failed heartbeat ends on its own. */
  async #staying(stint: KafkaStint, heartbeat: () => Promise<void>, work: Promise<void>): Promise<void> {
    let pending = true
    const ended = work.finally(() => {
      pending = false
    })
    for (;;) {
      await endsWithin(this.#context.heartbeatIntervalMs, ended)
      if (!pending || this.#abandoned) return
      try {
        await heartbeat()
      } catch (error) {
        // An answer to a turn that has ended may come after the client has joined again, and then nothing would follow.
        if (stint.live && REJOIN.has(answerOf(error) ?? '')) this.#revoke()
        throw error
      }
    }
  }

  // ---- what others have read

  /**
   * Who holds records back takes them from another consumer that reads them at once, where this process has one. Where that
   * one has left the partition, or we are too far behind, it is fetched again.
   */
  async #followOthers(lingerMs: number): Promise<void> {
    const { clock, recent } = this.#context
    const { topic } = this.#options
    const leave = recent.linger(topic)
    while (!this.#closing.signal.aborted) {
      await clock.sleep(lingerMs, this.#closing.signal)
      for (const stint of this.#stints.values()) {
        if (stint.next === undefined || stint.handing) continue
        const found = recent.after(topic, stint.partition, stint.next)
        if (found) this.#take(stint, found)
        else if (stint.follows) this.#fetchAgain(stint, stint.next)
      }
    }
    leave()
  }

  #take(stint: KafkaStint, { records, nextOffset, high }: Recent): void {
    const { group, topic } = this.#options
    if (!stint.follows) this.#member.pause([stint.partition])
    stint.follows = true
    stint.high = high
    if (records.length === 0) return
    this.#context.metrics.busSharedRecords.inc({ group, topic }, records.length)
    this.#deliver(stint, records, nextOffset).catch((error: unknown) => this.#fail(error))
  }

  #fetchAgain(stint: KafkaStint, next: number): void {
    const { group, topic } = this.#options
    this.#context.metrics.busSharedMisses.inc({ group, topic })
    stint.follows = false
    this.#seek(stint, next)
    this.#member.resume([stint.partition])
  }

  // ---- hints and the end

  /** Offsets on Kafka are for lag tools and for groups without a position of their own. */
  async #commitHints(): Promise<void> {
    await this.#committing
    this.#reportLag()
    const hints = [...this.#hints]
    if (hints.length === 0) return
    const { log } = this.#context
    const { topic, group } = this.#options
    this.#committing = this.#member
      .commit(hints)
      .then(() => {
        for (const [partition, offset] of hints)
          if (this.#hints.get(partition) === offset) this.#hints.delete(partition)
      })
      .catch((error: unknown) => log.debug({ err: error, group, topic }, 'offsets were not committed'))
    await this.#committing
    this.#committing = undefined
  }

  #reportLag(): void {
    const { group, topic } = this.#options
    let lag = 0
    for (const { high, next } of this.#stints.values()) lag += Math.max(0, high - (next ?? high))
    this.#context.metrics.busConsumerLag.set({ group, topic }, lag)
  }

  async #leave(): Promise<void> {
    clearInterval(this.#hintTimer)
    await this.#member.close()
    this.#context.onLeft(this)
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#abandoned = true
    this.#revoke()
    const reason = error instanceof Error ? error : new Error(String(error))
    const tell = () => {
      // Who waits for `consume` hears it there, everybody else through `onFatal`.
      if (this.#hasJoined) this.#options.onFatal(reason)
      else this.#joined.reject(reason)
    }
    this.#leave().then(tell, tell)
  }

  #unavailable(reason: string): PlatformError {
    const { group, topic } = this.#options
    const at = this.#context.connection.brokers.join(', ')
    return new PlatformError('BUS_UNAVAILABLE', `Kafka at ${at} did not let ${group} read ${topic}: ${reason}`)
  }
}
