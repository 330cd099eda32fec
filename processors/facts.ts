import type { FactTopic, Topics } from '../platform/bus/topics.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import type { Connection } from '../platform/store/connection.ts'
import { type FactWork, readFacts } from './fact-reading.ts'
import type { Fold, Owned, Processor } from './processor.ts'

/**
 * More new facts than this in one transaction are a backfill, and then only the last of them are told: nobody wants
 * thirty years of a series pushed. All of them can be queried.
 */
export const FACTS_TOLD_MAX = 500

/** Where the facts of one topic go. */
export interface FactSink<T extends FactTopic> {
  /** Of the processor that reads the topic. */
  readonly name: string
  readonly topic: T
  /** Inside the transaction. Answers what was new: that is told. A fact that was there already is nothing new. */
  store(connection: Connection, facts: readonly Topics[T][]): Promise<readonly Topics[T][]>
  /** Left out where nobody listens. */
  tell?(publish: PubSub['publish'], fact: Topics[T]): Promise<void>
}

export interface FactsOptions {
  readonly metrics: Pick<Metrics, 'pubsubSkippedFacts'>
  readonly toldMax?: number
}

/** Facts → rows, and whoever listens to them. No state but the tables: each fact stands for itself. */
export class Facts<T extends FactTopic> implements Processor<undefined, FactWork<T>> {
  readonly name: string
  readonly topic: T
  readonly reading
  readonly synchronousCommit = 'off'
  readonly fetchLingerMs = 0
  readonly quiet = true
  readonly #sink: FactSink<T>
  readonly #options: Required<FactsOptions>

  constructor(sink: FactSink<T>, options: FactsOptions) {
    this.name = sink.name
    this.topic = sink.topic
    this.reading = readFacts(sink.topic)
    this.#sink = sink
    this.#options = { toldMax: FACTS_TOLD_MAX, ...options }
  }

  open(): undefined {}

  begin(): Fold<undefined, FactWork<T>> {
    return new FactsFold(this.#sink, this.#options)
  }
}

class FactsFold<T extends FactTopic> implements Fold<undefined, FactWork<T>> {
  readonly stateChanges = []
  readonly events = []
  readonly lateCount = 0
  readonly #sink: FactSink<T>
  readonly #options: Required<FactsOptions>
  readonly #facts: Topics[T][] = []
  #fresh: readonly Topics[T][] = []

  constructor(sink: FactSink<T>, options: Required<FactsOptions>) {
    this.#sink = sink
    this.#options = options
  }

  add({ work }: Owned<undefined, FactWork<T>>): void {
    for (const fact of work.facts) this.#facts.push(fact)
  }

  async write(connection: Connection): Promise<void> {
    this.#fresh = await this.#sink.store(connection, this.#facts)
  }

  async tell(publish: PubSub['publish']): Promise<void> {
    const { toldMax, metrics } = this.#options
    const skipped = Math.max(0, this.#fresh.length - toldMax)
    if (skipped > 0) metrics.pubsubSkippedFacts.inc({ topic: this.#sink.topic }, skipped)
    await Promise.all(this.#fresh.slice(skipped).map((fact) => this.#sink.tell?.(publish, fact)))
  }
}
