import type { ErrorCode } from '../domain/errors.ts'
import type { TickColumns } from '../domain/tick-columns.ts'
import type { BusRecord } from '../platform/bus/bus.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import type { Connection } from '../platform/store/connection.ts'
import type { KeyedChange } from '../platform/store/keyed-state.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import type { Claim, SourceMarks } from '../platform/store/stream-checkpoints.ts'

/**
 * Ticks in, rows and events out. The runtime brings records in order, once each as far as state and results go, and
 * commits what a fold made together with the offset. A processor only knows event time: the same records give the same
 * results, wherever batches are cut and however often they are replayed.
 */
export interface Processor<State> {
  /** Names its checkpoints and its consumer group. Another name starts from the oldest record, with empty state. */
  readonly name: string
  readonly topic: 'stock-data'
  /** off where a crash of the database may take results back: they are made again from the bus. */
  readonly synchronousCommit: 'on' | 'off'
  /**
   * How long records may wait for more of them, once to be fetched and once more to share a transaction. 0: they do not,
   * and are told the moment they are stored. A full transaction never waits.
   */
  readonly lingerMs: number
  /** The fold wants each tick's bytes, because it may put one aside. */
  readonly keepsOriginals: boolean
  /** The state of one partition from what the last owner committed. */
  open(claim: Claim): State
  /** One per transaction. It may meet several partitions. */
  begin(): Fold<State>
}

export interface Fold<State> {
  /** Reads what the fold must know and the state does not hold. */
  prepare?(connection: Connection, work: readonly Owned<State>[]): Promise<void>
  /** Pure: only the state, and what the fold collects, change. */
  add(owned: Owned<State>): void
  write(connection: Connection): Promise<void>
  readonly stateChanges: readonly KeyedChange[]
  readonly events: readonly OutboxEvent[]
  readonly lateCount: number
  /** After the commit. A failure loses the telling, never the fact. */
  tell(publish: PubSub['publish']): Promise<void>
}

export interface Owned<State> {
  readonly state: State
  readonly work: Work
}

/** Consecutive records of one partition, decoded and free of duplicates. */
export interface Work {
  readonly partition: number
  readonly ticks: TickColumns
  /** Row by row beside `ticks`; empty where the processor does not keep them. */
  readonly originals: readonly BusRecord[]
  readonly rejects: readonly RejectedRecord[]
  /** Watermarks of silent sources that move without a record. */
  readonly follows: readonly Follow[]
  readonly duplicates: number
  /** Where the partition stands after it. */
  readonly nextOffset: number
  readonly sources: SourceMarks
}

export interface RejectedRecord {
  readonly record: BusRecord
  readonly code: ErrorCode
  readonly reason: string
}

export interface Follow {
  readonly source: string
  readonly watermarkMs: number
}

/** Rejected records keep their bytes, and so many of them cost a transaction as much as a tick. */
const REJECTED_BYTES_PER_TICK = 1_024

/** What it costs a transaction, and memory until then: the room of duplicates is kept too. */
export function sizeOf({ ticks, rejects, duplicates }: Work): number {
  let size = ticks.length + duplicates
  for (const { record } of rejects) size += 1 + Math.floor((record.value?.length ?? 0) / REJECTED_BYTES_PER_TICK)
  return size
}
