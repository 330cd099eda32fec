import { isNewer, type Quote, quoteOfSnapshot, quoteOfTick } from '../../domain/quote.ts'
import type { QuoteSnapshot } from '../../domain/quote-snapshot.ts'
import type { Tick } from '../../domain/tick.ts'
import type { Clock } from '../../platform/clock.ts'
import { Remembered } from '../../platform/graphql/remembered.ts'
import type { TickUpdate } from '../../platform/pubsub/pubsub.ts'
import type { Loaders } from './loaders.ts'

const DAY_MS = 86_400_000

/**
 * Quotes as events make them. The store is asked once a minute and day for each symbol, for what no event tells: the
 * previous close. In between, the newest event by event time is the quote, as it is in the store.
 */
export class LiveQuotes {
  readonly #loaders: Pick<Loaders, 'quotes'>
  readonly #remembered: Remembered<Quote>

  constructor(loaders: Pick<Loaders, 'quotes'>, clock: Clock) {
    this.#loaders = loaders
    this.#remembered = new Remembered({ clock, sizeMax: 10_000, forMs: 60_000 })
  }

  /** The quote of the symbol now that this was told: the one before where the event is about an older price. */
  async after(event: TickUpdate | QuoteSnapshot): Promise<Quote | undefined> {
    const told = 'ticks' in event ? quoteOfTicks(event.ticks) : quoteOfSnapshot(event)
    if (!told) return undefined
    const known = this.#remembered.get(told.symbol)
    const base = known && dayOf(known) >= dayOf(told) ? known : await this.#load(told)
    // While the store was asked, another subscription may have gone on.
    const newest = this.#remembered.get(told.symbol) ?? base
    if (!isNewer(told, newest) && !isToldAnew(told, newest)) return newest
    const previousClose = newest.previousClose ?? told.previousClose
    const quote = { ...told, ...(previousClose === undefined ? {} : { previousClose }) }
    this.#remembered.replace(told.symbol, quote)
    return quote
  }

  async #load(told: Quote): Promise<Quote> {
    const stored = (await this.#loaders.quotes.load(told.symbol)) ?? told
    this.#remembered.set(told.symbol, stored)
    return stored
  }
}

/** A vendor that gives but a day tells another price for the same one. */
const isToldAnew = (told: Quote, known: Quote): boolean =>
  told.eventTimeMs === known.eventTimeMs && told.seq === known.seq && told.source === known.source

const dayOf = ({ eventTimeMs }: Quote) => Math.floor(eventTimeMs / DAY_MS)

const quoteOfTicks = ([first, ...rest]: readonly Tick[]): Quote | undefined =>
  first && quoteOfTick(rest.reduce((newest, tick) => (isNewer(tick, newest) ? tick : newest), first))
