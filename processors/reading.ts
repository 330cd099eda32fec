import type { BusRecord } from '../platform/bus/bus.ts'
import type { EventCodec } from '../platform/bus/codec.ts'
import type { SourceProgress } from './source-progress.ts'
import type { RejectedRecord, Work } from './work.ts'

/**
 * How the records of a topic become work: ticks as columns, with positions and watermarks (tick-reading.ts); other facts
 * one by one, known by their natural keys (fact-reading.ts). One for each running processor.
 */
export interface Reading<W extends Work> {
  /** For records of one partition, so many at most. */
  open(partition: number, capacity: number): Batch<W>
  /** Work without a record, by which silent sources follow. Left out where there are no watermarks. */
  follow?(partition: number, follows: readonly Follow[], nextOffset: number, progress: SourceProgress): W
  /** Sources whose event time is one: a silent one follows any of them. Left out: each follows only itself in other partitions. */
  readonly clockOf?: (source: string) => string
}

/** Records on their way to be work. They are decoded before it is known whether they will be needed. */
export interface Batch<W extends Work> {
  /**
   * Takes nothing where it throws.
   * @throws PlatformError where the record is not what the topic carries; UnknownSchemaId: learn the id, then add it again.
   */
  add(record: BusRecord): void
  /** Once, at the moment it is queued, in order of batches: here progress moves, and what was seen before is dropped. */
  finish(rejects: readonly RejectedRecord[], nextOffset: number, progress: SourceProgress, nowMs: number): W
}

export interface Follow {
  readonly source: string
  readonly watermarkMs: number
}

export interface ReadingDeps {
  readonly codec: EventCodec
  /** Of the topic. They are never added in place, so their number is what it is at the start. */
  readonly partitions: number
}

/** Bytes that cost a transaction, and memory until then, as much as a tick. */
const BYTES_PER_TICK = 1_024

/** What a record costs that is kept as bytes, or is as large as them. A tick costs 1. */
export const costOf = ({ value }: BusRecord): number => 1 + Math.floor((value?.length ?? 0) / BYTES_PER_TICK)

export const costOfRejects = (rejects: readonly RejectedRecord[]): number =>
  rejects.reduce((cost, { record }) => cost + costOf(record), 0)
