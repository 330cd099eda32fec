import { readFileSync } from 'node:fs'
import type { Bar } from '../../domain/bar.ts'
import type { Tick } from '../../domain/tick.ts'

/** What travels on each topic. A fact's fields are its Avro schema's fields: `avro/<topic>.avsc`, compared by a test. */
export interface Topics {
  'stock-data': Tick
  /** Closed and corrected bars. */
  'stock-bars': Bar
}
export type Topic = keyof Topics

export type Compatibility = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE'

export interface TopicDefinition<T> {
  /** Same key, same partition, in order. */
  readonly key: (event: T) => string
  readonly source: (event: T) => string
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
    source: (tick) => tick.source,
    partitions: 12,
    retentionMs: 7 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-data'),
  },
  'stock-bars': {
    key: (bar) => bar.symbol,
    source: () => 'bars',
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
