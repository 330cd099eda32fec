import type { Clock } from '../platform/clock.ts'

/**
 * starting: not open yet. reading: it is asked and heard. troubled: it goes on by itself, but nothing comes just now.
 * restarting: it broke off and is started again at `retryAtMs`. refused: a person has to decide. ended: it has no more.
 */
export type SourceState = 'starting' | 'reading' | 'troubled' | 'restarting' | 'refused' | 'ended'

export interface SourceStatus {
  readonly source: string
  readonly state: SourceState
  readonly sinceMs: number
  /** Why, where not all is well. */
  readonly reason?: string
  readonly retryAtMs?: number
  /** What its vendor does not give us, while all else of it is read. */
  readonly lacks?: string
  /** Another process reads it, so we may not. */
  readonly isReadElsewhere?: boolean
  /** When the last fact came; undefined: none since the start. */
  readonly lastFactMs?: number
}

type Why = Pick<SourceStatus, 'reason' | 'retryAtMs' | 'isReadElsewhere'>

/** What each source of this process is doing, for `/ready` and the terminal. */
export class SourceStatuses {
  readonly #clock: Clock
  readonly #statuses = new Map<string, SourceStatus>()
  readonly #onChange: (status: SourceStatus, before: SourceStatus | undefined) => void

  constructor(clock: Clock, onChange: (status: SourceStatus, before: SourceStatus | undefined) => void = () => {}) {
    this.#clock = clock
    this.#onChange = onChange
  }

  all(): SourceStatus[] {
    return [...this.#statuses.values()]
  }

  set(source: string, state: SourceState, why: Why = {}): void {
    const before = this.#statuses.get(source)
    if (before?.state === state && before.reason === why.reason && before.retryAtMs === why.retryAtMs) return
    const { lastFactMs, lacks } = before ?? {}
    const status: SourceStatus = {
      source,
      state,
      sinceMs: before?.state === state ? before.sinceMs : this.#clock.now(),
      ...why,
      ...(lacks !== undefined && { lacks }),
      ...(lastFactMs !== undefined && { lastFactMs }),
    }
    this.#statuses.set(source, status)
    this.#onChange(status, before)
  }

  /** It is read without this; undefined: nothing is lacking any more. */
  lack(source: string, lacks: string | undefined): void {
    const before = this.#statuses.get(source)
    if (before === undefined || before.lacks === lacks) return
    const { lacks: _, ...rest } = before
    const status = lacks === undefined ? rest : { ...rest, lacks }
    this.#statuses.set(source, status)
    this.#onChange(status, before)
  }

  /** Only of a source that reads: its trouble is over, or has begun. What has ended stays ended. */
  trouble(source: string, reason: string | undefined): void {
    const state = this.#statuses.get(source)?.state
    if (state !== 'reading' && state !== 'troubled') return
    if (reason === undefined) this.set(source, 'reading')
    else this.set(source, 'troubled', { reason })
  }

  heard(source: string): void {
    const before = this.#statuses.get(source)
    if (before) this.#statuses.set(source, { ...before, lastFactMs: this.#clock.now() })
  }
}
