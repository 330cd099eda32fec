import type { BusRecord } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import type { FactTopic, Topics } from '../platform/bus/topics.ts'
import { type Batch, costOf, costOfRejects, type Reading, type ReadingDeps } from './reading.ts'
import type { SourceProgress } from './source-progress.ts'
import type { RejectedRecord, Work } from './work.ts'

export interface FactWork<T extends FactTopic> extends Work {
  /** In order of the partition. One that is on the bus twice is here twice: the table knows it by its natural key. */
  readonly facts: readonly Topics[T][]
}

export const readFacts =
  <T extends FactTopic>(topic: T) =>
  ({ codec }: ReadingDeps): Reading<FactWork<T>> => ({
    open: (partition) => new FactBatch(codec, topic, partition),
  })

class FactBatch<T extends FactTopic> implements Batch<FactWork<T>> {
  readonly #codec: EventCodec
  readonly #topic: T
  readonly #partition: number
  readonly #facts: Topics[T][] = []
  #cost = 0

  constructor(codec: EventCodec, topic: T, partition: number) {
    this.#codec = codec
    this.#topic = topic
    this.#partition = partition
  }

  add(record: BusRecord): void {
    this.#facts.push(this.#codec.decode(this.#topic, record.value))
    this.#cost += costOf(record)
  }

  finish(rejects: readonly RejectedRecord[], nextOffset: number, progress: SourceProgress): FactWork<T> {
    const facts = this.#facts
    return {
      partition: this.#partition,
      facts,
      rejects,
      duplicates: 0,
      records: facts.length,
      cost: this.#cost + costOfRejects(rejects),
      ...(facts.length > 0 && { oldestIngestTimeMs: facts[0].ingestTimeMs }),
      nextOffset,
      sources: progress.snapshot(),
    }
  }
}
