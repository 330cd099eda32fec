import { readFileSync } from 'node:fs'
import { type Bar, bar, barEnd } from '../../domain/bar.ts'
import { type Tick, tick } from '../../domain/tick.ts'

/** What travels on each topic. A fact's fields are its Avro schema's fields: `avro/<topic>.avsc`, compared by a test. */
export interface Topics {
  'stock-data': Tick
  /** Closed and corrected bars. */
  'stock-bars': Bar
}
export type Topic = keyof Topics

export type Compatibility = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE'

/** The context attributes that make an event recognisable outside of the platform (CloudEvents 1.0). */
export interface CloudEvent {
  readonly type: string
  readonly source: string
  readonly subject: string
  /** With the source it names the event: the same event told twice has the same key, and so the same `ce_id`. */
  readonly naturalKey: string
  readonly timeMs: number
}

export interface TopicDefinition<T> {
  /** Same key, same partition, in order. */
  readonly key: (event: T) => string
  /** What is read from the topic passes it, so that nobody's producer can put a broken fact in. @throws INVALID_EVENT */
  readonly check: (event: T) => T
  /** Carried as headers. Left out where headers on every record cost too much: docs/decisions/0007-no-headers-on-ticks.md. */
  readonly cloudEvent?: (event: T) => CloudEvent
  /** Never grown in place: keys would move to other partitions. A new topic and a replay instead. */
  readonly partitions: number
  readonly retentionMs: number
  /** How its Avro schema may change. */
  readonly compatibility: Compatibility
  readonly schema: string
}

const day = 86_400_000
const schema = (topic: string) => readFileSync(new URL(`avro/${topic}.avsc`, import.meta.url), 'utf8')

export const TOPICS: { readonly [T in Topic]: TopicDefinition<Topics[T]> } = {
  'stock-data': {
    key: (tick) => tick.symbol,
    check: tick,
    partitions: 12,
    retentionMs: 7 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-data'),
  },
  'stock-bars': {
    key: (bar) => bar.symbol,
    check: bar,
    cloudEvent: (bar) => ({
      type: 'updates.investor.Bar',
      source: 'bars',
      subject: bar.symbol,
      // A correction is another event of the same bar; every print that changes the bar changes its count.
      naturalKey: `${bar.symbol}|${bar.interval}|${bar.startMs}|${bar.trades}`,
      timeMs: barEnd(bar),
    }),
    partitions: 12,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-bars'),
  },
}

/** Records given up on: the original bytes, with the reason and the origin in the headers. */
export const deadLetterTopic = (topic: string) => `${topic}.dlq`
/** Records that came after the allowed lateness: the original bytes. */
export const lateTopic = (topic: string) => `${topic}.late`
export const DEAD_LETTER_RETENTION_MS = 30 * day
