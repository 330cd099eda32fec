import type { BusConsumer, ConsumeOptions, EventBus, OffsetRange, OutgoingRecord, TopicSettings } from './bus.ts'

/**
 * The same bus with a prefix before every topic and group, so that several platforms can share a cluster. Whoever uses it
 * does not see the prefix.
 */
export class PrefixedBus implements EventBus {
  readonly #bus: EventBus
  readonly #prefix: string

  constructor(bus: EventBus, prefix: string) {
    this.#bus = bus
    this.#prefix = prefix
  }

  createTopics(topics: readonly TopicSettings[]): Promise<void> {
    return this.#bus.createTopics(topics.map((topic) => ({ ...topic, name: this.#prefix + topic.name })))
  }

  produce(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    return this.#bus.produce(this.#prefix + topic, records)
  }

  settled(topic?: string): Promise<void> {
    return this.#bus.settled(topic === undefined ? undefined : this.#prefix + topic)
  }

  consume(options: ConsumeOptions): Promise<BusConsumer> {
    const { group, topic, onBatch } = options
    return this.#bus.consume({
      ...options,
      group: this.#prefix + group,
      topic: this.#prefix + topic,
      onBatch: (batch, current) => onBatch({ ...batch, topic }, current),
    })
  }

  offsets(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return this.#bus.offsets(this.#prefix + topic)
  }

  ping(): Promise<void> {
    return this.#bus.ping()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus[Symbol.asyncDispose]()
  }
}
