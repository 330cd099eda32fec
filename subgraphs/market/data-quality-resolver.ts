import type { GraphQLResolveInfo } from 'graphql'
import { Arg, FieldResolver, ID, Int, Query, Resolver, Root, Subscription } from 'type-graphql'
import type { DataQuality, DataQualityKind } from '../../domain/data-quality.ts'
import { PlatformError } from '../../domain/errors.ts'
import { undescribed } from '../../domain/instrument.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { requireSpan } from '../../platform/graphql/span.ts'
import { resolverOf } from '../../platform/graphql/subgraph.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import { EVERY_KEY, type PubSub } from '../../platform/pubsub/pubsub.ts'
import { DataQualityConnection, DataQualityKindEnum, DataQualityObject, dataQualityView } from './data-quality.ts'
import { InstrumentObject } from './instrument.ts'
import type { Loaders } from './loaders.ts'
import type { DataQualityStore, StoredDataQuality } from './stores.ts'

const PAGE = { byDefault: 50, max: 500 }
const CURSOR = 'quality'
const SYMBOLS_MAX = 100
const SOURCES_MAX = 100
/** What of one subscription may wait to be resolved; beyond it the oldest is dropped and counted. */
const EVENTS_WAITING_MAX = 1_000

const SYMBOLS = `Only about one of these, 1 to ${SYMBOLS_MAX}; lower case is accepted. What is about a whole source has no symbol.`
const SOURCES = `Only about one of these sources, 1 to ${SOURCES_MAX}, e.g. coinbase:BTC-USD.`
const KINDS = 'Only of these kinds.'

interface Wanted {
  readonly symbols?: readonly string[]
  readonly sources?: readonly string[]
  readonly kinds?: readonly DataQualityKind[]
}

export interface DataQualitySources {
  readonly dataQuality: DataQualityStore
  readonly loaders: Loaders
  readonly pubsub: PubSub
  readonly metrics: Metrics
}

@Resolver(() => DataQualityObject)
export class DataQualityResolver {
  readonly #from: DataQualitySources

  constructor(from: DataQualitySources) {
    this.#from = from
  }

  @Query(() => DataQualityConnection, {
    description:
      'What there is to know before trusting prices, the newest first, in pages. INVALID_ARGUMENT for a malformed symbol, a foreign cursor, a page size or list out of bounds, or a `from` that is not before `to`.',
  })
  async dataQuality(
    @Arg('symbols', () => [ID], { nullable: true, description: SYMBOLS }) symbols: string[] | undefined,
    @Arg('sources', () => [String], { nullable: true, description: SOURCES }) sources: string[] | undefined,
    @Arg('kinds', () => [DataQualityKindEnum], { nullable: true, description: KINDS })
    kinds: DataQualityKind[] | undefined,
    @Arg('from', () => DateTime, { nullable: true, description: 'Of then or later, by event time.' })
    from: Date | undefined,
    @Arg('to', () => DateTime, { nullable: true, description: 'Of before then, by event time.' })
    to: Date | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<DataQualityObject>> {
    requireSpan(from?.getTime(), to?.getTime())
    const page = await this.#from.dataQuality.page({
      ...wantedOf({ symbols, sources, kinds }),
      fromMs: from?.getTime(),
      toMs: to?.getTime(),
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: after === undefined ? undefined : placeOfCursor(after),
    })
    return connection(page, after, dataQualityView, cursorOfStored)
  }

  @Subscription(() => DataQualityObject, {
    name: 'dataQuality',
    description:
      'What there is to know before trusting prices, from now on, once; stored before it is told. INVALID_ARGUMENT for a malformed symbol or a list out of bounds.',
    subscribe: ({ args, info }: { args: Wanted; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, DataQualityResolver).listenToDataQuality(args),
  })
  toldDataQuality(
    @Root() event: DataQuality,
    @Arg('symbols', () => [ID], { nullable: true, description: SYMBOLS }) _symbols: string[] | undefined,
    @Arg('sources', () => [String], { nullable: true, description: SOURCES }) _sources: string[] | undefined,
    @Arg('kinds', () => [DataQualityKindEnum], { nullable: true, description: KINDS })
    _kinds: DataQualityKind[] | undefined,
  ): DataQualityObject {
    return dataQualityView(event)
  }

  @FieldResolver(() => InstrumentObject, {
    nullable: true,
    description: 'The instrument it is about. Null where it is the whole source.',
  })
  async instrument(@Root() { symbol }: DataQualityObject): Promise<InstrumentObject | undefined> {
    if (symbol === null) return undefined
    return (await this.#from.loaders.instruments.load(symbol)) ?? undescribed(symbol)
  }

  async listenToDataQuality(wanted: Wanted): Promise<AsyncIterable<DataQuality>> {
    const { symbols = [EVERY_KEY], sources, kinds } = wantedOf(wanted)
    const channels = symbols.map((key) => ({ channel: 'dataQuality', key }) as const)
    return listen(this.#from.pubsub, channels, {
      keep: 'all',
      limit: EVENTS_WAITING_MAX,
      metrics: this.#from.metrics,
      only: (event) => (sources?.includes(event.source) ?? true) && (kinds?.includes(event.kind) ?? true),
    })
  }
}

function wantedOf({ symbols, sources, kinds }: Wanted): Wanted {
  if (sources && (sources.length < 1 || sources.length > SOURCES_MAX))
    throw new PlatformError(
      'INVALID_ARGUMENT',
      `sources must name 1 to ${SOURCES_MAX} sources, named ${sources.length}`,
    )
  return { symbols: symbols && symbolsOf(symbols, 1, SYMBOLS_MAX), sources, kinds }
}

const cursorOfStored = ({ id, eventTimeMs }: StoredDataQuality): string => cursorOf(CURSOR, `${eventTimeMs}|${id}`)

function placeOfCursor(cursor: string) {
  const [, eventTime, id] = /^(\d{1,15})\|(\d{1,15})$/.exec(keyOfCursor(CURSOR, cursor)) ?? []
  if (eventTime === undefined || id === undefined)
    throw new PlatformError('INVALID_ARGUMENT', 'after must be a cursor that this list gave')
  return { eventTimeMs: Number(eventTime), id: Number(id) }
}
