import type { BusConsumer, ConsumeOptions, EventBus, OutgoingRecord, TopicSettings } from '../../platform/bus/bus.ts'

/** Topics and groups of its own on a bus that others use: two runs that share a group would starve each other. */
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

  settled = () => this.#bus.settled()
  offsets = (topic: string) => this.#bus.offsets(this.#prefix + topic)
  ping = () => this.#bus.ping()

  consume(options: ConsumeOptions): Promise<BusConsumer> {
    return this.#bus.consume({ ...options, group: this.#prefix + options.group, topic: this.#prefix + options.topic })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus[Symbol.asyncDispose]()
  }
}
