import type { Tick } from '../domain/tick.ts'
import type { Fact, Topic } from '../platform/bus/topics.ts'

/**
 * Somewhere facts come from. `C` is its checkpoint: plain JSON that says where to go on. A source gives the same fact the
 * same `position` again when it is started from a checkpoint before it, so nothing is lost and nothing is counted twice.
 */
export interface Source<C = unknown> {
  /** Stable over restarts; every tick carries it. One running reader per name. */
  readonly name: string
  /**
   * Goes on from the checkpoint (from the start where there is none) until the source has no more or the signal aborts.
   * Ends within two seconds of the abort. Throws a PlatformError where it cannot go on.
   */
  read(from: C | undefined, signal: AbortSignal): AsyncIterable<SourceBatch<C>>
  /**
   * Told after a checkpoint has become durable, oldest first. For a source whose next fact depends on it: one that
   * chooses (a new start, a session) may tell nothing that follows from the choice before the choice would survive a crash.
   */
  saved?(checkpoint: C): void
  /**
   * What was put aside, read once more as it is read today; asks nobody. Undefined where nothing of that name is read.
   * @throws PlatformError where it is still nothing that can be read.
   */
  reparse?(feed: string, original: Buffer): Reparsed | undefined
}

export interface Reparsed {
  readonly facts: readonly Fact[]
  readonly rejects: readonly Omit<Reject, 'feed'>[]
}

export interface SourceBatch<C> {
  readonly ticks: readonly Tick[]
  /**
   * Everything else it told. No positions: processors know these by their natural keys, so a fact told twice is stored and
   * told once.
   */
  readonly facts?: readonly Fact[]
  readonly rejects: readonly Reject[]
  /** Where to go on once this batch has been taken. A batch that is nothing but a checkpoint asks to be saved at once. */
  readonly checkpoint: C
}

/** Something the source told that is not a fact. It goes to the dead letters with its bytes; what follows goes on. */
export interface Reject {
  /** Of ticks, as in `Tick.position`; of anything else `positionOf` its bytes, so that the same reject is kept once. */
  readonly position: number
  /** Which feed of the source it is from, so that it can be parsed again; undefined where the source has but one. */
  readonly feed?: string
  /** Where it would have gone, had it been a fact: it goes to the dead letters of that topic. Undefined: `stock-data`. */
  readonly topic?: Topic
  /** What was wrong, what was expected, and where: `line 17: Tick price must be …`. */
  readonly reason: string
  /** At most ORIGINAL_BYTES_MAX; the reason says so where it was cut. */
  readonly original: Buffer
}

/** A reject travels on to a dead-letter topic, where it must stay below the bus's message size limit. */
export const ORIGINAL_BYTES_MAX = 65_536
