import type {
  BusConsumer,
  BusRecord,
  ConsumeOptions,
  EventBus,
  OffsetRange,
  OutgoingRecord,
} from '../../platform/bus/bus.ts'

/**
 * A bus of one partition that does nothing by itself: the test says who has the partition, and when what is delivered. So
 * the moments that chaos only meets by chance come when they are wanted; two members may even have it at once.
 */
export class HandBus implements EventBus {
  readonly log: BusRecord[] = []
  readonly members: HandConsumer[] = []

  async createTopics(): Promise<void> {}
  async settled(): Promise<void> {}
  async ping(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}

  async produce(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (topic !== 'stock-data') return
    for (const { key, value, headers = {} } of records) this.log.push({ offset: this.log.length, key, value, headers })
  }

  async offsets(): Promise<ReadonlyMap<number, OffsetRange>> {
    return new Map([[0, { low: 0, high: this.log.length }]])
  }

  async consume(options: ConsumeOptions): Promise<BusConsumer> {
    const member = new HandConsumer(this, options)
    this.members.push(member)
    return member
  }
}

export class HandConsumer implements BusConsumer {
  readonly #bus: HandBus
  readonly #options: ConsumeOptions
  #stint = 0
  /** Where the processor wants to go on. */
  next = 0
  assigned: readonly number[] = []
  processedTo = 0
  repositions = 0

  constructor(bus: HandBus, options: ConsumeOptions) {
    this.#bus = bus
    this.#options = options
  }

  processed(_partition: number, nextOffset: number): void {
    this.processedTo = nextOffset
  }

  /** Gives the partition to this member, whoever else has it. */
  async assign(): Promise<void> {
    this.#options.onRevoked?.()
    this.assigned = [0]
    await this.#position()
  }

  reposition(): void {
    void this.#position().then(() => {
      this.repositions++
    })
  }

  /** Up to the offset, from where the processor wants to go on. */
  async deliver(untilOffset: number): Promise<void> {
    const stint = this.#stint
    const records = this.#bus.log.slice(this.next, untilOffset)
    this.next = untilOffset
    await this.#options.onBatch(
      { topic: 'stock-data', partition: 0, records, nextOffset: untilOffset },
      () => stint === this.#stint,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stint++
  }

  async #position(): Promise<void> {
    const stint = ++this.#stint
    const answer = await this.#options.position?.(await this.#bus.offsets(), () => stint === this.#stint)
    if (stint === this.#stint) this.next = answer?.get(0) ?? this.next
  }
}
