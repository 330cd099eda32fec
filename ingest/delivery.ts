import { isPlatformError } from '../domain/errors.ts'
import type { EventBus, OutgoingRecord } from '../platform/bus/bus.ts'
import type { Fact, FactTopic, Topic, Topics } from '../platform/bus/topics.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Patience } from './patience.ts'
import { positionOf } from './reject-position.ts'
import { ORIGINAL_BYTES_MAX, type Reject, type SourceBatch } from './source.ts'

export interface FactEncoder {
  encode<T extends Topic>(topic: T, event: Topics[T]): OutgoingRecord
}

export interface RejectStore {
  /** The same position appended again is the same dead letter. */
  append(source: string, rejects: readonly Reject[]): Promise<void>
}

export interface DeliveryContext {
  readonly source: string
  readonly bus: Pick<EventBus, 'produce'>
  readonly codec: FactEncoder
  readonly deadLetters: RejectStore
  readonly patience: Patience
  readonly metrics: Metrics
  readonly recordsMax: number
}

/** What one produce call takes, and the position that each of its records would have in the dead letters. */
interface Piece {
  readonly topic: Topic
  readonly records: readonly OutgoingRecord[]
  readonly positionAt: (index: number) => number
}

/** Takes what a source told to where it belongs: facts to the bus, in order of each topic; the rest to the dead letters. */
export class Delivery {
  produced = 0
  rejected = 0
  readonly #context: DeliveryContext

  constructor(context: DeliveryContext) {
    this.#context = context
  }

  /** Resolves when all of the batch is acknowledged. Running it again after a failure doubles nothing for consumers. */
  async take({ ticks, facts = [], rejects }: SourceBatch<unknown>): Promise<void> {
    await this.#reject(rejects)
    await this.#deliver('stock-data', ticks, (tick) => tick.position)
    for (const [topic, events] of byTopic(facts)) await this.#deliver(topic, events)
  }

  async #deliver<T extends Topic>(
    topic: T,
    events: readonly Topics[T][],
    position?: (event: Topics[T]) => number,
  ): Promise<void> {
    const { codec, recordsMax } = this.#context
    for (let start = 0; start < events.length; start += recordsMax) {
      const records = events.slice(start, start + recordsMax).map((event) => codec.encode(topic, event))
      const positionAt = (index: number) => position?.(events[start + index]) ?? positionOf(bytesOf(records[index]))
      await this.#produce({ topic, records, positionAt })
    }
  }

  async #produce(piece: Piece): Promise<void> {
    const { bus, patience, metrics, source } = this.#context
    const { topic, records } = piece
    try {
      await patience.until('bus', `produce to ${topic}`, () => bus.produce(topic, records))
    } catch (error) {
      if (!isPlatformError(error, 'MESSAGE_TOO_LARGE')) throw error
      return this.#produceAround(piece, error.message)
    }
    this.produced += records.length
    metrics.ingestFacts.inc({ source, topic }, records.length)
  }

  /** One record is over the bus's limit, and then none of the call was stored: halve until it stands alone. */
  async #produceAround({ topic, records, positionAt }: Piece, reason: string): Promise<void> {
    if (records.length === 1) {
      const original = bytesOf(records[0]).subarray(0, ORIGINAL_BYTES_MAX)
      return this.#reject([{ position: positionAt(0), topic, reason, original }])
    }
    const middle = Math.ceil(records.length / 2)
    await this.#produce({ topic, records: records.slice(0, middle), positionAt })
    await this.#produce({ topic, records: records.slice(middle), positionAt: (index) => positionAt(middle + index) })
  }

  async #reject(rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return
    const { deadLetters, patience, metrics, source } = this.#context
    await patience.until('store', 'keep its dead letters', () => deadLetters.append(source, rejects))
    this.rejected += rejects.length
    for (const { topic = 'stock-data' } of rejects) metrics.ingestRejects.inc({ source, topic })
  }
}

const bytesOf = (record: OutgoingRecord): Buffer => record.value ?? Buffer.alloc(0)

/** In the order of the first of each. */
function byTopic(facts: readonly Fact[]): ReadonlyMap<FactTopic, Fact['event'][]> {
  const groups = new Map<FactTopic, Fact['event'][]>()
  for (const { topic, event } of facts) {
    const group = groups.get(topic)
    if (group) group.push(event)
    else groups.set(topic, [event])
  }
  return groups
}
