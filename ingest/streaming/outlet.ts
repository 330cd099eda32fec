import type { Tick } from '../../domain/tick.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import type { Reject } from '../source.ts'

export interface OutletBounds {
  /** Facts and rejects waiting; beyond it the sockets are not read. */
  readonly waitingMax: number
  /** Rejects hold bytes. */
  readonly waitingBytesMax: number
}

export interface Waiting {
  readonly ticks: Tick[]
  readonly facts: Fact[]
  readonly rejects: Reject[]
}

const nothing = (): Waiting => ({ ticks: [], facts: [], rejects: [] })

/**
 * Between the sockets and whoever reads the source. What was heard is never dropped: when the reader is slow it fills, and
 * `onFull` stops reading the sockets until it is taken. It overshoots by what was in one read of a socket.
 */
export class Outlet {
  readonly #bounds: OutletBounds
  readonly #onFull: (isFull: boolean) => void
  #waiting = nothing()
  #bytes = 0
  #isFull = false
  #heard = Promise.withResolvers<void>()
  #emptied = Promise.withResolvers<void>()

  constructor(bounds: OutletBounds, onFull: (isFull: boolean) => void) {
    this.#bounds = bounds
    this.#onFull = onFull
  }

  get isFull(): boolean {
    return this.#isFull
  }

  tick(tick: Tick): void {
    this.#waiting.ticks.push(tick)
    this.#grown()
  }

  fact(fact: Fact): void {
    this.#waiting.facts.push(fact)
    this.#grown()
  }

  reject(reject: Reject): void {
    this.#waiting.rejects.push(reject)
    this.#bytes += reject.original.length
    this.#grown()
  }

  /** Resolves when there is something to take or the signal aborts. */
  async filled(signal: AbortSignal): Promise<void> {
    while (this.#count === 0 && !signal.aborted) {
      this.#heard = Promise.withResolvers()
      await unlessAborted(this.#heard.promise, signal)
    }
  }

  /** Resolves when it is no longer full or the signal aborts. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#isFull && !signal.aborted) await unlessAborted(this.#emptied.promise, signal)
  }

  /** All that waits. */
  take(): Waiting {
    const taken = this.#waiting
    this.#waiting = nothing()
    this.#bytes = 0
    if (this.#isFull) {
      this.#isFull = false
      this.#onFull(false)
      this.#emptied.resolve()
    }
    return taken
  }

  get #count(): number {
    const { ticks, facts, rejects } = this.#waiting
    return ticks.length + facts.length + rejects.length
  }

  #grown(): void {
    this.#heard.resolve()
    if (this.#isFull || (this.#count < this.#bounds.waitingMax && this.#bytes < this.#bounds.waitingBytesMax)) return
    this.#isFull = true
    this.#emptied = Promise.withResolvers()
    this.#onFull(true)
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const aborted = Promise.withResolvers<void>()
  const abort = () => aborted.resolve()
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
