import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import type { BusConsumer, ConsumeOptions, OffsetRange, RecordBatch } from './bus.ts'
import { endsWithin } from './ends-within.ts'
import type { MemoryLog } from './memory-log.ts'
import { startingOffsets } from './starting-offsets.ts'
import { RunningCalls, Stint } from './stint.ts'

export interface GroupContext {
  readonly topic: string
  readonly logs: readonly MemoryLog[]
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly batchSizeMax: number
  readonly closeTimeoutMs: number
  /** A group has come further: records may be trimmed, producers may go on. */
  readonly onProgress: () => void
}

/** What a consumer needs of its group. */
export interface ConsumerGroup {
  readonly name: string
  readonly context: GroupContext
  readonly processed: readonly number[]
  advance(stint: Stint, nextOffset: number): void
  positioned(stint: Stint, offset: number): void
  ranges(): ReadonlyMap<number, OffsetRange>
  leave(consumer: MemoryConsumer): void
}

export class MemoryConsumer implements BusConsumer {
  readonly #group: ConsumerGroup
  readonly #options: ConsumeOptions
  readonly #stints = new Map<number, Stint>()
  /** Stints that a loop delivers to right now. */
  readonly #delivering = new Set<Stint>()
  readonly #calls = new RunningCalls()
  readonly #closing = new AbortController()
  #isLingering = false

  constructor(group: ConsumerGroup, options: ConsumeOptions) {
    this.#group = group
    this.#options = options
  }

  get assigned(): readonly number[] {
    return [...this.#stints.keys()]
  }

  processed(partition: number, nextOffset: number): void {
    const stint = this.#stints.get(partition)
    if (stint) this.#group.advance(stint, nextOffset)
  }

  reposition(partitions: readonly number[]): void {
    const mine = partitions.filter((partition) => this.#stints.has(partition))
    for (const partition of mine) this.#end(partition)
    this.assign(mine)
  }

  stintOf(partition: number): Stint | undefined {
    return this.#stints.get(partition)
  }

  revoke(): void {
    if (this.#stints.size === 0) return
    for (const partition of [...this.#stints.keys()]) this.#end(partition)
    this.#options.onRevoked?.()
  }

  assign(partitions: readonly number[]): void {
    if (partitions.length === 0) return
    const stints = partitions.map((partition) => new Stint(partition))
    for (const stint of stints) this.#stints.set(stint.partition, stint)
    this.#start(stints).catch((error: unknown) => this.#fail(error))
  }

  /** There may be something new. */
  wake(): void {
    const { lingerMs = 0 } = this.#options
    if (lingerMs > 0 && !this.#isMuch()) this.#linger(lingerMs)
    else this.#deliverEach()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await endsWithin(this.#group.context.closeTimeoutMs, this.#calls.ended())
    this.#group.leave(this)
  }

  async #start(stints: readonly Stint[]): Promise<void> {
    const { topic, clock, log } = this.#group.context
    const offsets = await startingOffsets({
      group: this.#group.name,
      topic,
      partitions: stints.map(({ partition }) => partition),
      ranges: async () => this.#group.ranges(),
      position: this.#options.position,
      processed: async () => new Map(this.#group.processed.entries()),
      current: () => stints.some(({ live }) => live) && !this.#closing.signal.aborted,
      clock,
      log,
    })
    if (!offsets) return
    for (const stint of stints) {
      const offset = offsets.get(stint.partition)
      if (!stint.live || offset === undefined) continue
      this.#group.positioned(stint, offset)
      this.#deliver(stint)
    }
  }

  /** As a broker holds a fetch back: until the time is over or there is much. */
  #linger(lingerMs: number): void {
    if (this.#isLingering) return
    this.#isLingering = true
    this.#group.context.clock
      .sleep(lingerMs, this.#closing.signal)
      .then(() => {
        this.#isLingering = false
        this.#deliverEach()
      })
      .catch((error: unknown) => this.#fail(error))
  }

  #isMuch(): boolean {
    const { logs, batchSizeMax } = this.#group.context
    let waiting = 0
    for (const { partition, next } of this.#stints.values())
      if (next !== undefined) waiting += logs[partition].high - next
    return waiting >= batchSizeMax / 2
  }

  #deliverEach(): void {
    for (const stint of this.#stints.values()) this.#deliver(stint)
  }

  #deliver(stint: Stint): void {
    if (!this.#hasMore(stint) || this.#delivering.has(stint)) return
    this.#delivering.add(stint)
    this.#calls
      .run(stint.partition, () => this.#deliverAll(stint))
      .finally(() => this.#delivering.delete(stint))
      // What came between the loop's last look and now has found it still delivering.
      .then(() => this.#hasMore(stint) && this.wake())
      .catch((error: unknown) => this.#fail(error))
  }

  async #deliverAll(stint: Stint): Promise<void> {
    const { topic, logs, batchSizeMax } = this.#group.context
    const { partition } = stint
    // What comes from now on may linger again.
    const end = this.#options.lingerMs ? logs[partition].high : Number.POSITIVE_INFINITY
    while (this.#hasMore(stint) && (stint.next ?? 0) < end) {
      const records = logs[partition].read(stint.next ?? 0, batchSizeMax)
      const nextOffset = records[records.length - 1].offset + 1
      await this.#hand(stint, { topic, partition, records, nextOffset })
      if (!stint.live) return
      stint.next = nextOffset
      // A consumer that never waits would keep timers and sockets waiting.
      await endOfTurn()
    }
  }

  async #hand(stint: Stint, batch: RecordBatch): Promise<void> {
    const { clock, log } = this.#group.context
    for (let attempt = 1; stint.live; attempt++) {
      try {
        return await this.#options.onBatch(batch, () => stint.live)
      } catch (error) {
        if (!stint.live) return
        const { topic, partition } = batch
        log.warn({ err: error, group: this.#group.name, topic, partition, attempt }, 'a batch will be delivered again')
        await clock.sleep(backOffMs(attempt), this.#closing.signal)
        if (this.#closing.signal.aborted) this.#end(partition)
      }
    }
  }

  #hasMore(stint: Stint): boolean {
    return (
      stint.live &&
      !this.#closing.signal.aborted &&
      stint.next !== undefined &&
      stint.next < this.#group.context.logs[stint.partition].high
    )
  }

  #end(partition: number): void {
    const stint = this.#stints.get(partition)
    if (stint) stint.live = false
    this.#stints.delete(partition)
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#group.leave(this)
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)))
  }
}
