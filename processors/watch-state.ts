import { type HeardClock, openClock, passTime, watermarkOf } from '../domain/watch/heard-clock.ts'
import {
  type Finding,
  judgeSilence,
  newestMsOf,
  type WatchedSource,
  type WatchedSymbol,
  watchedSymbol,
} from '../domain/watch/watched-symbol.ts'
import type { KeyedRow } from '../platform/store/keyed-state.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'

export interface WatchBounds {
  /** Symbols watched in one partition. Of more, the eighth that has been quiet for longest is forgotten. */
  readonly symbolsMax: number
  /** Clocks of one partition: as many as sources are remembered. */
  readonly clocksMax: number
}

export const WATCH_BOUNDS: WatchBounds = { symbolsMax: 10_000, clocksMax: 64 }

/** The key of the clocks among those of symbols. No symbol is in lower case. */
const CLOCKS_KEY = 'clocks'

/** What changed of a partition since it was last saved. Undefined as a symbol: it is forgotten. */
export interface WatchChanges {
  readonly symbols: Map<string, WatchedSymbol | undefined>
  clocks: boolean
  forgottenSymbols: number
  forgottenClocks: number
}

/** What the watch remembers of one partition. Follows from the records before, whatever batches they came in. */
export class WatchState {
  readonly partition: number
  readonly #bounds: WatchBounds
  readonly #symbols: Map<string, WatchedSymbol>
  readonly #clocks: Map<string, HeardClock>
  #changes = noChanges()

  constructor({ partition, state }: Pick<Claim, 'partition' | 'state'>, bounds: WatchBounds = WATCH_BOUNDS) {
    this.partition = partition
    this.#bounds = bounds
    this.#symbols = new Map(state.flatMap(parseSymbol))
    const clocks = state.find(({ key }) => key === CLOCKS_KEY)
    this.#clocks = new Map(clocks && (JSON.parse(clocks.value) as [string, HeardClock][]))
  }

  /** The symbol, now watched if it was not; its next change will be saved. */
  touch(symbol: string): WatchedSymbol {
    let watched = this.#symbols.get(symbol)
    if (!watched) {
      if (this.#symbols.size >= this.#bounds.symbolsMax) this.#forgetSymbols()
      watched = watchedSymbol(symbol)
      this.#symbols.set(symbol, watched)
    }
    this.#changes.symbols.set(symbol, watched)
    return watched
  }

  /** The clock after a print of that time. Where it made a step, symbols that were quiet for too long are found. */
  tell(name: string, eventTimeMs: number, found: Finding[]): HeardClock {
    const watermarkMs = watermarkOf(eventTimeMs)
    const clock = this.#clocks.get(name) ?? this.#enter(name, watermarkMs)
    this.#pass(name, clock, watermarkMs, found)
    return clock
  }

  /** The source is silent here and has passed the watermark elsewhere. */
  follow(name: string, watermarkMs: number, found: Finding[]): void {
    const clock = this.#clocks.get(name)
    if (clock) this.#pass(name, clock, watermarkMs, found)
  }

  /** All changes since the last call. */
  takeChanges(): WatchChanges {
    const changes = this.#changes
    this.#changes = noChanges()
    return changes
  }

  formatClocks(): string {
    return JSON.stringify([...this.#clocks])
  }

  #pass(name: string, clock: HeardClock, watermarkMs: number, found: Finding[]): void {
    if (watermarkMs !== clock.watermarkMs) this.#changes.clocks = true
    if (!passTime(clock, watermarkMs)) return
    for (const [symbol, watched] of this.#symbols)
      if (judgeSilence(watched, name, clock, found)) this.#changes.symbols.set(symbol, watched)
  }

  #enter(name: string, watermarkMs: number): HeardClock {
    if (this.#clocks.size >= this.#bounds.clocksMax) {
      const [oldest] = [...this.#clocks].reduce((a, b) => (b[1].watermarkMs < a[1].watermarkMs ? b : a))
      this.#clocks.delete(oldest)
      this.#changes.forgottenClocks++
    }
    const clock = openClock(watermarkMs)
    this.#clocks.set(name, clock)
    this.#changes.clocks = true
    return clock
  }

  /** Many at once, so that whoever makes up symbols does not have all of them compared for each. */
  #forgetSymbols(): void {
    const oldestFirst = Array.from(this.#symbols, ([symbol, watched]) => ({ symbol, newestMs: newestMsOf(watched) }))
    // By name where times are equal: after a restart the map is in another order.
    oldestFirst.sort((a, b) => a.newestMs - b.newestMs || (a.symbol < b.symbol ? -1 : 1))
    for (const { symbol } of oldestFirst.slice(0, Math.ceil(this.#bounds.symbolsMax / 8))) {
      this.#symbols.delete(symbol)
      this.#changes.symbols.set(symbol, undefined)
      this.#changes.forgottenSymbols++
    }
  }
}

const noChanges = (): WatchChanges => ({ symbols: new Map(), clocks: false, forgottenSymbols: 0, forgottenClocks: 0 })

export const clocksChange = (state: WatchState) => ({
  partition: state.partition,
  key: CLOCKS_KEY,
  value: state.formatClocks(),
})

export const symbolChange = (partition: number, symbol: string, watched: WatchedSymbol | undefined) => ({
  partition,
  key: symbol,
  value: watched && JSON.stringify(watched.sources),
})

function parseSymbol({ key, value }: KeyedRow): [string, WatchedSymbol][] {
  if (key === CLOCKS_KEY) return []
  return [[key, { ...watchedSymbol(key), sources: JSON.parse(value) as WatchedSource[] }]]
}
