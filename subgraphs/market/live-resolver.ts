import type { GraphQLResolveInfo } from 'graphql'
import { Arg, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql'
import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { Instrument } from '../../domain/instrument.ts'
import type { Quote } from '../../domain/quote.ts'
import type { Tick } from '../../domain/tick.ts'
import type { Clock } from '../../platform/clock.ts'
import { resolverOf } from '../../platform/graphql/subgraph.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import type { Watchers } from '../../platform/graphql/watchers.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { type ListenerQueue, listen } from '../../platform/pubsub/listener-queue.ts'
import type { Channels, PubSub } from '../../platform/pubsub/pubsub.ts'
import { BarIntervalEnum, BarObject, barView } from './bar.ts'
import { DescribedInstruments } from './described-instruments.ts'
import { flatten } from './flatten.ts'
import { InstrumentObject } from './instrument.ts'
import { requireKnown } from './known-symbols.ts'
import { LiveQuotes } from './live-quotes.ts'
import type { Loaders } from './loaders.ts'
import { QuoteObject, quoteView } from './quote.ts'
import type { InstrumentStore } from './stores.ts'
import { TickObject, tickView } from './tick.ts'

const SYMBOLS_MAX = 100
const SYMBOLS = `1 to ${SYMBOLS_MAX} symbols; lower case is accepted.`
const ERRORS = 'INVALID_ARGUMENT for a malformed symbol, UNKNOWN_SYMBOL where no instrument has it.'

/** Updates of one subscription that may wait to be resolved; beyond it the oldest are dropped and counted. */
const UPDATES_WAITING_MAX = 1_000

export interface LiveSources {
  readonly instruments: InstrumentStore
  readonly loaders: Loaders
  readonly pubsub: PubSub
  readonly watchers: Watchers
  readonly clock: Clock
  readonly metrics: Metrics
}

type LiveChannel = 'tick' | 'bar' | 'quote'

@Resolver(() => TickObject)
export class LiveResolver {
  readonly #from: LiveSources
  readonly #described: DescribedInstruments
  readonly #quotes: LiveQuotes

  constructor(from: LiveSources) {
    this.#from = from
    this.#described = new DescribedInstruments(from.loaders, from.clock)
    this.#quotes = new LiveQuotes(from.loaders, from.clock)
  }

  @Subscription(() => TickObject, {
    description: `Each trade of the instruments from now on, in order per symbol; stored before it is told. ${ERRORS}`,
    subscribe: ({ args, info }: { args: { symbols: string[] }; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, LiveResolver).listenToTicks(args.symbols),
  })
  ticks(@Root() tick: Tick, @Arg('symbols', () => [ID], { description: SYMBOLS }) _symbols: string[]): TickObject {
    return tickView(tick)
  }

  @Subscription(() => BarObject, {
    description: `The bars of the instruments as they stand, whenever trades have changed or closed one; stored before it is told. ${ERRORS}`,
    subscribe: ({ args, info }: { args: { symbols: string[]; interval: BarInterval }; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, LiveResolver).listenToBars(args.symbols, args.interval),
  })
  bars(
    @Root() bar: Bar,
    @Arg('symbols', () => [ID], { description: SYMBOLS }) _symbols: string[],
    @Arg('interval', () => BarIntervalEnum, { description: 'How long the bars are.' }) _interval: BarInterval,
  ): BarObject {
    return barView(bar)
  }

  @Subscription(() => QuoteObject, {
    description: `The price state of the instruments whenever it has changed, by a trade or by what a vendor tells of the price; stored before it is told. ${ERRORS}`,
    subscribe: ({ args, info }: { args: { symbols: string[] }; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, LiveResolver).listenToQuotes(args.symbols),
  })
  quotes(@Root() quote: Quote, @Arg('symbols', () => [ID], { description: SYMBOLS }) _symbols: string[]): QuoteObject {
    return quoteView(quote)
  }

  @FieldResolver(() => InstrumentObject, {
    description: 'What traded; named by its symbol alone where nobody has described it yet.',
  })
  instrument(@Root() tick: TickObject): Instrument | Promise<Instrument> {
    return this.#described.of(tick.symbol)
  }

  async listenToTicks(requested: readonly string[]): Promise<AsyncIterable<Tick>> {
    const updates = await this.#listen(requested, (symbol) => [{ channel: 'tick', key: symbol }] as const)
    return flatten(updates, (update) => update.ticks)
  }

  listenToBars(requested: readonly string[], interval: BarInterval): Promise<AsyncIterable<Bar>> {
    return this.#listen(requested, (symbol) => [{ channel: 'bar', key: `${symbol}:${interval}` }] as const)
  }

  async listenToQuotes(requested: readonly string[]): Promise<AsyncIterable<Quote>> {
    const events = await this.#listen(
      requested,
      (key) =>
        [
          { channel: 'tick', key },
          { channel: 'quote', key },
        ] as const,
    )
    const told = new Map<string, string>()
    return flatten(events, async (event) => {
      const quote = await this.#quotes.after(event)
      if (!quote) return []
      // An event about an older price than the one that was told leaves the quote as it is.
      const state = JSON.stringify(quote)
      if (told.get(quote.symbol) === state) return []
      told.set(quote.symbol, state)
      return [quote]
    })
  }

  /** Of symbols that exist, who are watched as long as somebody listens. */
  async #listen<C extends LiveChannel>(
    requested: readonly string[],
    channelsOf: (symbol: string) => readonly { readonly channel: C; readonly key: string }[],
  ): Promise<ListenerQueue<Channels[C]>> {
    const { pubsub, instruments, watchers, metrics } = this.#from
    const symbols = symbolsOf(requested, 1, SYMBOLS_MAX)
    await requireKnown(symbols, instruments)
    const queue = await listen(pubsub, symbols.flatMap(channelsOf), {
      keep: 'all',
      limit: UPDATES_WAITING_MAX,
      metrics,
    })
    queue.onReturn(watchers.watch(symbols))
    return queue
  }
}
