import type { Topic } from '../platform/bus/topics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import type { Connection } from '../platform/store/connection.ts'
import type { KeyedChange } from '../platform/store/keyed-state.ts'
import type { OutboxEvent } from '../platform/store/outbox.ts'
import type { Claim, Moving } from '../platform/store/stream-checkpoints.ts'
import type { Reading, ReadingDeps } from './reading.ts'
import type { Work } from './work.ts'

/**
 * Facts in, rows and events out. The runtime brings records in order, once each as far as state and results go, and
 * commits what a fold made together with the offset. A processor only knows event time: the same records give the same
 * results, wherever batches are cut and however often they are replayed.
 */
export interface Processor<State, W extends Work> {
  /** Names its checkpoints and its consumer group. Another name starts from the oldest record, with empty state. */
  readonly name: string
  readonly topic: Topic
  /** How records of the topic become work. */
  readonly reading: (deps: ReadingDeps) => Reading<W>
  /** off where a crash of the database may take results back: they are made again from the bus. */
  readonly synchronousCommit: 'on' | 'off'
  /** How long the bus may hold records back to bring more of them at once. */
  readonly fetchLingerMs: number
  /** Often quiet for minutes: one lane is enough, and it gives its connection back when nothing waits. */
  readonly quiet: boolean
  /** The state of one partition from what the last owner committed. */
  open(claim: Claim): State
  /**
   * Whether a fold of this work can `moveAndWrite`. Only of a processor without state: the work is added before anybody knows
   * whether it is still its owner.
   */
  isSmall?(work: readonly W[]): boolean
  /** One per transaction. It may meet several partitions. */
  begin(): Fold<State, W>
}

export interface Fold<State, W extends Work> {
  /** Reads what the fold must know and the state does not hold. */
  prepare?(connection: Connection, work: readonly Owned<State, W>[]): Promise<void>
  /** Pure: only the state, and what the fold collects, change. */
  add(owned: Owned<State, W>): void
  write(connection: Connection): Promise<void>
  /**
   * The move and all that `write` would do as one statement, which needs no transaction around it; nothing of a partition
   * that did not move. Only where `isSmall` said so. Answers which moved; the others are left out of what is told. Undefined
   * where nothing has happened, because it takes a transaction after all.
   */
  moveAndWrite?(connection: Connection, moving: Moving): Promise<ReadonlySet<number> | undefined>
  readonly stateChanges: readonly KeyedChange[]
  readonly events: readonly OutboxEvent[]
  readonly lateCount: number
  /** After the commit. A failure loses the telling, never the fact. */
  tell(publish: PubSub['publish']): Promise<void>
}

export interface Owned<State, W extends Work> {
  readonly state: State
  readonly work: W
}
