import { setImmediate as endOfTurn } from 'node:timers/promises'
import { PlatformError } from '../../domain/errors.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { BusConsumer, ConsumeOptions, EventBus, OffsetRange, OutgoingRecord, TopicSettings } from './bus.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryLog } from './memory-log.ts'
import { partitionOf } from './partition.ts'
import { checkSizes, RECORD_BYTES_MAX } from './record-size.ts'

export interface MemoryBusOptions {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock?: Clock
  /**
   * Where the offsets of a new topic begin. A process that starts again goes on counting where its checkpoints are, so
   * that no offset means two records.
   */
  readonly firstOffsets?: (topic: string, partition: number) => number
  /** Records between a partition's end and its slowest group at which `produce` waits; one call may overshoot it. */
  readonly recordsMax?: number
  /** Records kept although every group has processed them: for a late group, and for a database that lost its last commits. */
  readonly tailMax?: number
  readonly recordBytesMax?: number
  readonly batchSizeMax?: number
  /** How long closing waits for batches that are being handled. */
  readonly closeTimeoutMs?: number
}

interface MemoryTopic {
  readonly name: string
  readonly logs: readonly MemoryLog[]
  readonly groups: Map<string, MemoryGroup>
  wakeScheduled: boolean
}

interface Waiter {
  readonly ready: () => boolean
  readonly resolve: () => void
  readonly reject: (error: PlatformError) => void
}

/** A producer that never waits would keep timers and sockets, and the consumers, waiting. */
const RECORDS_PER_TURN = 2_000

/**
 * The bus within one process. What is on it ends with the process: a source's checkpoint therefore moves only as far as
 * `settled`. Topics that no group has read keep their newest records, up to the tail.
 */
export class MemoryBus implements EventBus {
  readonly #options: Required<MemoryBusOptions>
  readonly #topics = new Map<string, MemoryTopic>()
  #waiters: Waiter[] = []
  #recordsThisTurn = 0
  #closed = false

  constructor(options: MemoryBusOptions) {
    this.#options = {
      log: options.log,
      metrics: options.metrics,
      clock: options.clock ?? systemClock,
      firstOffsets: options.firstOffsets ?? (() => 0),
      recordsMax: options.recordsMax ?? 50_000,
      tailMax: options.tailMax ?? 10_000,
      recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
      batchSizeMax: options.batchSizeMax ?? 5_000,
      closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
    }
  }

  async createTopics(topics: readonly TopicSettings[]): Promise<void> {
    for (const { name, partitions } of topics) {
      if (this.#topics.has(name)) continue
      const logs = Array.from({ length: partitions }, (_, i) => new MemoryLog(this.#options.firstOffsets(name, i)))
      this.#topics.set(name, { name, logs, groups: new Map(), wakeScheduled: false })
    }
  }

  async produce(name: string, records: readonly OutgoingRecord[]): Promise<void> {
    const topic = this.#topic(name)
    checkSizes(name, records, this.#options.recordBytesMax)
    const places = records.map(({ key }) => partitionOf(key, topic.logs.length))
    if (!this.#hasRoom(topic, places)) {
      this.#options.metrics.busBackpressure.inc({ topic: name })
      // Asked again after waiting: another call that waited may have taken the room.
      while (!this.#hasRoom(topic, places)) await this.#until(() => this.#hasRoom(topic, places))
    }
    for (let i = 0; i < records.length; i++) topic.logs[places[i]].append(records[i])
    this.#options.metrics.busProduced.inc({ topic: name }, records.length)
    if (topic.groups.size === 0) this.#trim(topic)
    else this.#wake(topic)
    await this.#yield(records.length)
  }

  async settled(name?: string): Promise<void> {
    if (this.#closed) throw closed()
    const topics = name === undefined ? [...this.#topics.values()] : [this.#topic(name)]
    const ends = topics.map(({ groups, logs }) => ({ groups, highs: logs.map(({ high }) => high) }))
    const done = () =>
      ends.every(({ groups, highs }) =>
        [...groups.values()].every(({ processed }) => highs.every((high, partition) => processed[partition] >= high)),
      )
    if (!done()) await this.#until(done)
  }

  async consume(options: ConsumeOptions): Promise<BusConsumer> {
    const topic = this.#topic(options.topic)
    const known = topic.groups.get(options.group)
    const group = known ?? new MemoryGroup(options.group, this.#context(topic))
    topic.groups.set(options.group, group)
    return group.join(options)
  }

  async offsets(name: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return new Map(this.#topic(name).logs.map(({ low, high }, partition) => [partition, { low, high }]))
  }

  async ping(): Promise<void> {
    if (this.#closed) throw closed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const groups = [...this.#topics.values()].flatMap((topic) => [...topic.groups.values()])
    await Promise.all(groups.map((group) => group.close()))
    for (const { reject } of this.#waiters.splice(0)) reject(closed())
  }

  #context(topic: MemoryTopic) {
    const { clock, log, metrics, batchSizeMax, closeTimeoutMs } = this.#options
    const onProgress = () => {
      this.#trim(topic)
      this.#release()
    }
    return { topic: topic.name, logs: topic.logs, clock, log, metrics, batchSizeMax, closeTimeoutMs, onProgress }
  }

  #topic(name: string): MemoryTopic {
    if (this.#closed) throw closed()
    const topic = this.#topics.get(name)
    if (!topic) throw new PlatformError('BUS_UNAVAILABLE', `There is no topic ${name}, expected it to be created first`)
    return topic
  }

  #hasRoom({ groups, logs }: MemoryTopic, places: readonly number[]): boolean {
    for (const { processed } of groups.values())
      for (const place of places) if (logs[place].high - processed[place] >= this.#options.recordsMax) return false
    return true
  }

  #trim({ groups, logs }: MemoryTopic): void {
    for (const [partition, log] of logs.entries()) {
      let keepFrom = log.high - this.#options.tailMax
      for (const group of groups.values()) keepFrom = Math.min(keepFrom, group.holds(partition))
      log.trim(keepFrom)
    }
  }

  /** Once a turn, so that records produced one by one are still delivered in batches. */
  #wake(topic: MemoryTopic): void {
    if (topic.wakeScheduled) return
    topic.wakeScheduled = true
    setImmediate(() => {
      topic.wakeScheduled = false
      for (const group of topic.groups.values()) group.wake()
    })
  }

  async #yield(records: number): Promise<void> {
    this.#recordsThisTurn += records
    if (this.#recordsThisTurn < RECORDS_PER_TURN) return
    this.#recordsThisTurn = 0
    await endOfTurn()
  }

  #until(ready: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ ready, resolve, reject })
    })
  }

  #release(): void {
    if (this.#waiters.length === 0) return
    const ready = new Set(this.#waiters.filter((waiter) => waiter.ready()))
    this.#waiters = this.#waiters.filter((waiter) => !ready.has(waiter))
    for (const { resolve } of ready) resolve()
  }
}

const closed = () => new PlatformError('BUS_UNAVAILABLE', 'The bus was closed')
