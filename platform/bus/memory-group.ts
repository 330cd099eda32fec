import { PlatformError } from '../../domain/errors.ts'
import type { ConsumeOptions, OffsetRange } from './bus.ts'
import { type ConsumerGroup, type GroupContext, MemoryConsumer } from './memory-consumer.ts'
import type { Stint } from './stint.ts'

/** The consumers that share the partitions of a topic, and how far they have come together. */
export class MemoryGroup implements ConsumerGroup {
  readonly name: string
  readonly context: GroupContext
  /** Per partition: everything below is done. It outlives the consumers, as a committed offset does on Kafka. */
  readonly processed: number[]
  #consumers: MemoryConsumer[] = []

  constructor(name: string, context: GroupContext) {
    this.name = name
    this.context = context
    this.processed = context.logs.map((log) => log.low)
  }

  join(options: ConsumeOptions): MemoryConsumer {
    const consumer = new MemoryConsumer(this, options)
    this.#consumers.push(consumer)
    this.#rebalance()
    return consumer
  }

  leave(consumer: MemoryConsumer): void {
    if (!this.#consumers.includes(consumer)) return
    this.#consumers = this.#consumers.filter((other) => other !== consumer)
    consumer.revoke()
    this.#rebalance()
  }

  /** There may be something new to deliver. */
  wake(): void {
    for (const consumer of this.#consumers) consumer.wake()
  }

  /** While a consumer is being positioned, what it was told to be there must stay. */
  holds(partition: number): number {
    const stint = this.#stintOf(partition)
    if (stint && stint.next === undefined) return 0
    return Math.min(this.processed[partition], stint?.next ?? Number.POSITIVE_INFINITY)
  }

  positioned(stint: Stint, offset: number): void {
    stint.next = offset
    this.processed[stint.partition] = offset
    this.#progress()
  }

  advance(stint: Stint, nextOffset: number): void {
    if (!stint.live || nextOffset <= this.processed[stint.partition]) return
    const { high } = this.context.logs[stint.partition]
    if (nextOffset > high)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `${this.name} cannot have processed up to ${nextOffset} of ${this.context.topic}[${stint.partition}], which ends at ${high}`,
      )
    this.processed[stint.partition] = nextOffset
    this.#progress()
  }

  ranges(): ReadonlyMap<number, OffsetRange> {
    return new Map(this.context.logs.map(({ low, high }, partition) => [partition, { low, high }]))
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer[Symbol.asyncDispose]()))
  }

  #progress(): void {
    const { logs, metrics, topic } = this.context
    const lag = logs.reduce((sum, { high }, partition) => sum + high - this.processed[partition], 0)
    metrics.busConsumerLag.set({ group: this.name, topic }, lag)
    this.context.onProgress()
  }

  #stintOf(partition: number): Stint | undefined {
    for (const consumer of this.#consumers) {
      const stint = consumer.stintOf(partition)
      if (stint) return stint
    }
    return undefined
  }

  /** As Kafka's eager rebalance: everybody gives everything up before anybody gets anything. */
  #rebalance(): void {
    const consumers = this.#consumers
    for (const consumer of consumers) consumer.revoke()
    for (const [index, consumer] of consumers.entries())
      consumer.assign([...this.processed.keys()].filter((partition) => partition % consumers.length === index))
  }
}
