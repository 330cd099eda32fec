import type { SilenceLimits } from './stream-protocol.ts'

export interface Quiet {
  readonly what: 'frames' | 'prints'
  readonly sinceMs: number
  readonly limitMs: number
}

/** How long nothing has been heard of a vendor, over all its connections. */
export class Silence {
  readonly #limits: SilenceLimits
  #frameMs: number
  #printMs: number
  /** Since when prints have been expected without a break: a market that opens now has been silent for no time yet. */
  #printsExpectedMs: number | undefined

  constructor(limits: SilenceLimits, nowMs: number) {
    this.#limits = limits
    this.#frameMs = nowMs
    this.#printMs = nowMs
  }

  heardFrame(nowMs: number): void {
    this.#frameMs = nowMs
  }

  heardPrint(nowMs: number): void {
    this.#printMs = nowMs
  }

  get lastFrameMs(): number {
    return this.#frameMs
  }

  /** What is silent for longer than it may be, where listening began at `listeningMs`. Ask often: it learns the time of day. */
  tooLong(nowMs: number, listeningMs: number, graceMs = 0): Quiet | undefined {
    const { framesMs, printsMs } = this.#limits
    const printsMax = printsMs?.(nowMs)
    if (printsMax === undefined) this.#printsExpectedMs = undefined
    else this.#printsExpectedMs ??= nowMs
    const framesSinceMs = Math.max(this.#frameMs, listeningMs)
    if (nowMs - framesSinceMs > framesMs + graceMs) return { what: 'frames', sinceMs: framesSinceMs, limitMs: framesMs }
    if (printsMax === undefined) return undefined
    const printsSinceMs = Math.max(this.#printMs, this.#printsExpectedMs ?? nowMs, listeningMs)
    if (nowMs - printsSinceMs > printsMax + graceMs)
      return { what: 'prints', sinceMs: printsSinceMs, limitMs: printsMax }
    return undefined
  }

  /** The process itself stood still (a long pause, a laptop asleep): nobody was silent, we did not listen. */
  excuse(pausedMs: number): void {
    this.#frameMs += pausedMs
    this.#printMs += pausedMs
  }
}
