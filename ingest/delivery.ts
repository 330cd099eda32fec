import { isPlatformError } from '../domain/errors.ts'
import type { Tick } from '../domain/tick.ts'
import type { EventBus, OutgoingRecord } from '../platform/bus/bus.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Patience } from './patience.ts'
import { ORIGINAL_BYTES_MAX, type Reject, type SourceBatch } from './source.ts'

export interface TickEncoder {
  encode(topic: 'stock-data', tick: Tick): OutgoingRecord
}

export interface RejectStore {
  /** The same position appended again is the same dead letter. */
  append(source: string, rejects: readonly Reject[]): Promise<void>
}

export interface DeliveryContext {
  readonly source: string
  readonly bus: Pick<EventBus, 'produce'>
  readonly codec: TickEncoder
  readonly deadLetters: RejectStore
  readonly patience: Patience
  readonly metrics: Metrics
  readonly recordsMax: number
}

/** Takes what a source told to where it belongs: facts to the bus, in order; the rest to the dead letters. */
export class Delivery {
  produced = 0
  rejected = 0
  readonly #context: DeliveryContext

  constructor(context: DeliveryContext) {
    this.#context = context
  }

  /** Resolves when all of the batch is acknowledged. Running it again after a failure doubles nothing for consumers. */
  async take(batch: SourceBatch<unknown>): Promise<void> {
    const { codec, recordsMax } = this.#context
    await this.#reject(batch.rejects)
    for (let start = 0; start < batch.ticks.length; start += recordsMax) {
      const ticks = batch.ticks.slice(start, start + recordsMax)
      const records = ticks.map((tick) => codec.encode('stock-data', tick))
      await this.#produce(ticks, records)
    }
  }

  async #produce(ticks: readonly Tick[], records: readonly OutgoingRecord[]): Promise<void> {
    const { bus, patience, metrics, source } = this.#context
    try {
      await patience.until('bus', 'produce ticks', () => bus.produce('stock-data', records))
    } catch (error) {
      if (!isPlatformError(error, 'MESSAGE_TOO_LARGE')) throw error
      return this.#produceAround(ticks, records, error.message)
    }
    this.produced += records.length
    metrics.ingestFacts.inc({ source }, records.length)
  }

  /** One record is over the bus's limit, and then none of the call was stored: halve until it stands alone. */
  async #produceAround(ticks: readonly Tick[], records: readonly OutgoingRecord[], reason: string): Promise<void> {
    if (records.length === 1) {
      const original = (records[0].value ?? Buffer.alloc(0)).subarray(0, ORIGINAL_BYTES_MAX)
      return this.#reject([{ position: ticks[0].position, reason, original }])
    }
    const middle = Math.ceil(records.length / 2)
    await this.#produce(ticks.slice(0, middle), records.slice(0, middle))
    await this.#produce(ticks.slice(middle), records.slice(middle))
  }

  async #reject(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return
    const { deadLetters, patience, metrics, source } = this.#context
    await patience.until('store', 'keep its dead letters', () => deadLetters.append(source, rejects))
    this.rejected += rejects.length
    metrics.ingestRejects.inc({ source }, rejects.length)
  }
}
