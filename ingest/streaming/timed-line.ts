import type { StreamCheckpoint } from './checkpoint.ts'
import { RecentPrints } from './recent-prints.ts'
import type { Print } from './stream-protocol.ts'

/** So many prints are known again: more than a symbol prints in the time that is read twice. */
const RECENT_MAX = 512
/** Prints of one millisecond that a checkpoint names. */
const KEYS_MAX = 100

type Taken = StreamCheckpoint['products'][string]

export interface Held {
  readonly print: Print
  readonly frame: Buffer
  readonly receivedAtMs: number
}

/** The prints of one symbol, where each has a name and a time but no number: what was told, and what waits. */
export class TimedLine {
  readonly symbol: string
  readonly source: string
  readonly recent: RecentPrints
  /** Of the newest print that was told; -1: none was, ever. */
  position: number
  newestMs: number
  /** What the reader has; undefined: nothing yet. */
  taken: Taken | undefined
  /** Prints that wait, by name, until those before them were read from history; undefined: nothing is missing. */
  held: Map<string, Held> | undefined
  /** History has told a print that waits: between the two nothing is missing. */
  isJoined = false

  constructor(symbol: string, source: string, from: Taken | undefined) {
    this.symbol = symbol
    this.source = source
    this.taken = from
    this.position = from?.id ?? -1
    this.newestMs = from?.timeMs ?? -1
    this.recent = new RecentPrints(RECENT_MAX, this.newestMs)
    for (const key of from?.keys ?? []) this.recent.add(key, this.newestMs)
  }

  /** From now on what is printed waits. What waited already is in history, too. Answers how many those were. */
  wait(): number {
    const dropped = this.held?.size ?? 0
    this.held = new Map()
    this.isJoined = false
    return dropped
  }

  /** The reader has this print. */
  take(key: string, position: number, timeMs: number): void {
    const before = this.taken
    if (before === undefined || timeMs > before.timeMs) this.taken = { id: position, timeMs, keys: [key] }
    else if (timeMs < before.timeMs) this.taken = { ...before, id: position }
    else this.taken = { id: position, timeMs, keys: [...(before.keys ?? []), key].slice(-KEYS_MAX) }
  }
}
