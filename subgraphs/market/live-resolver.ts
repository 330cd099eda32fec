import type { GraphQLResolveInfo } from 'graphql'
import { Arg, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql'
import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { Instrument } from '../../domain/instrument.ts'
import type { Tick } from '../../domain/tick.ts'
import type { Clock } from '../../platform/clock.ts'
import { resolverOf } from '../../platform/graphql/subgraph.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import { BarIntervalEnum, BarObject, barView } from './bar.ts'
import { DescribedInstruments } from './described-instruments.ts'
import { flatten } from './flatten.ts'
import { InstrumentObject } from './instrument.ts'
import { requireKnown } from './known-symbols.ts'
import type { Loaders } from './loaders.ts'
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
  readonly clock: Clock
  readonly metrics: Metrics
}

@Resolver(() => TickObject)
export class LiveResolver {
  readonly #from: LiveSources
  readonly #described: DescribedInstruments

  constructor(from: LiveSources) {
    this.#from = from
    this.#described = new DescribedInstruments(from.loaders, from.clock)
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

  @FieldResolver(() => InstrumentObject, {
    description: 'What traded; named by its symbol alone where nobody has described it yet.',
  })
  instrument(@Root() tick: TickObject): Instrument | Promise<Instrument> {
    return this.#described.of(tick.symbol)
  }

  async listenToTicks(requested: readonly string[]): Promise<AsyncIterable<Tick>> {
    const symbols = await this.#knownSymbols(requested)
    const channels = symbols.map((key) => ({ channel: 'tick', key }) as const)
    const updates = await listen(this.#from.pubsub, channels, this.#bounded())
    return flatten(updates, (update) => update.ticks)
  }

  async listenToBars(requested: readonly string[], interval: BarInterval): Promise<AsyncIterable<Bar>> {
    const symbols = await this.#knownSymbols(requested)
    const channels = symbols.map((symbol) => ({ channel: 'bar', key: `${symbol}:${interval}` }) as const)
    return listen(this.#from.pubsub, channels, this.#bounded())
  }

  #bounded() {
    return { keep: 'all', limit: UPDATES_WAITING_MAX, metrics: this.#from.metrics } as const
  }

  async #knownSymbols(requested: readonly string[]): Promise<string[]> {
    const symbols = symbolsOf(requested, 1, SYMBOLS_MAX)
    await requireKnown(symbols, this.#from.instruments)
    return symbols
  }
}
