import type { Hole } from './stream-protocol.ts'

export interface Numbered {
  readonly id: number
  readonly eventTimeMs: number
}

/**
 * `next`: taken, and with it everything that waited for it. `held`: kept until what is missing before it comes.
 * `duplicate`: was taken or is held. `refused`: no room to hold it; it is remembered that it exists, so it will be asked for.
 */
export type Offered = 'next' | 'held' | 'duplicate' | 'refused'

/** What whoever fills the holes of a product needs of it. */
export type Holed = Pick<PrintSequence<Numbered>, 'symbol' | 'last' | 'hole' | 'giveUpBefore'>

/**
 * The prints of one product in the order of their ids, each once, however they come: live, again, late, or from history.
 * Where it starts without having seen any, the first print offered is the first there is.
 */
export class PrintSequence<E extends Numbered> {
  readonly symbol: string
  readonly #take: (entry: E) => void
  readonly #held = new Map<number, E>()
  #last: Numbered | undefined
  /** The newest id that is known to exist. */
  #newestId = -1

  constructor(symbol: string, last: Numbered | undefined, take: (entry: E) => void) {
    this.symbol = symbol
    this.#last = last
    this.#take = take
  }

  /** The newest print taken. */
  get last(): Numbered | undefined {
    return this.#last
  }

  get heldCount(): number {
    return this.#held.size
  }

  offer(entry: E, hasRoom: boolean): Offered {
    const last = this.#last
    if (last !== undefined && entry.id <= last.id) return 'duplicate'
    if (last === undefined || entry.id === last.id + 1) {
      this.#accept(entry)
      this.#release()
      return 'next'
    }
    if (this.#held.has(entry.id)) return 'duplicate'
    this.announce(entry.id)
    if (!hasRoom) return 'refused'
    this.#held.set(entry.id, entry)
    return 'held'
  }

  /** The venue says that it has printed this one. Means nothing before the first print. */
  announce(id: number): void {
    if (id > this.#newestId) this.#newestId = id
  }

  /** The oldest hole; undefined: there is none that we know of. */
  hole(): (Hole & { readonly beforeId: number; readonly beforeTimeMs: number | undefined }) | undefined {
    const last = this.#last
    if (last === undefined) return undefined
    let oldest: E | undefined
    for (const entry of this.#held.values()) if (oldest === undefined || entry.id < oldest.id) oldest = entry
    if (oldest === undefined && this.#newestId <= last.id) return undefined
    const beforeId = oldest?.id ?? this.#newestId + 1
    return { symbol: this.symbol, after: last, beforeId, beforeTimeMs: oldest?.eventTimeMs }
  }

  /**
   * Goes on without the prints before this id; it lies in the oldest hole or at its end, so none of them is held. The time is an
   * estimate of the last one's.
   */
  giveUpBefore(id: number, eventTimeMs: number): void {
    const last = this.#last
    if (last === undefined || id <= last.id + 1) return
    this.#last = { id: id - 1, eventTimeMs }
    this.#release()
  }

  #accept(entry: E): void {
    this.#last = { id: entry.id, eventTimeMs: entry.eventTimeMs }
    this.#take(entry)
  }

  #release(): void {
    for (let last = this.#last; last !== undefined; last = this.#last) {
      const next = this.#held.get(last.id + 1)
      if (next === undefined) return
      this.#held.delete(next.id)
      this.#accept(next)
    }
  }
}
