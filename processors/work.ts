import type { ErrorCode } from '../domain/errors.ts'
import type { BusRecord } from '../platform/bus/bus.ts'
import type { SourceMarks } from '../platform/store/stream-checkpoints.ts'

/** Consecutive records of one partition, decoded. What they hold, the reading adds. */
export interface Work {
  readonly partition: number
  /** How many there are to handle, without duplicates and rejects. */
  readonly records: number
  readonly rejects: readonly RejectedRecord[]
  readonly duplicates: number
  /** What it costs a transaction, and memory until then: a tick costs 1. */
  readonly cost: number
  /** When the platform first saw the first of them. Undefined where there are none. */
  readonly oldestIngestTimeMs?: number
  /** Where the partition stands after it. */
  readonly nextOffset: number
  readonly sources: SourceMarks
}

export interface RejectedRecord {
  readonly record: BusRecord
  readonly code: ErrorCode
  readonly reason: string
}
