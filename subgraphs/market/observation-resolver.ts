import type { GraphQLResolveInfo } from 'graphql'
import { Arg, FieldResolver, ID, Int, Query, Resolver, Root, Subscription } from 'type-graphql'
import { PlatformError } from '../../domain/errors.ts'
import type { Observation } from '../../domain/observation.ts'
import { CalendarDate } from '../../platform/graphql/calendar-date.ts'
import type { Connection } from '../../platform/graphql/page.ts'
import { resolverOf } from '../../platform/graphql/subgraph.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import { EVERY_KEY, type PubSub } from '../../platform/pubsub/pubsub.ts'
import { EconomicSeriesObject, economicSeriesView } from './economic-series.ts'
import type { Loaders } from './loaders.ts'
import { ObservationConnection, ObservationObject, observationView } from './observation.ts'
import { AFTER, AS_OF, FIRST, FROM, type ObservationPages, TO } from './observation-pages.ts'

const SERIES_MAX = 100
/** Observations of one subscription that may wait to be resolved; beyond it the oldest are dropped and counted. */
const OBSERVATIONS_WAITING_MAX = 1_000

export interface ObservationSources {
  readonly loaders: Loaders
  readonly pages: ObservationPages
  readonly pubsub: PubSub
  readonly metrics: Metrics
}

@Resolver(() => ObservationObject)
export class ObservationResolver {
  readonly #from: ObservationSources

  constructor(from: ObservationSources) {
    this.#from = from
  }

  @Query(() => ObservationConnection, {
    description:
      'The observations of one series, one a period, the oldest period first; an empty page where there is no such series. INVALID_ARGUMENT for a foreign cursor, a page size out of bounds or a `from` that is not before `to`.',
  })
  economicObservations(
    @Arg('seriesId', () => ID, { description: 'Id of the series, e.g. CPIAUCSL.' }) seriesId: string,
    @Arg('from', () => CalendarDate, { nullable: true, description: FROM }) from: string | undefined,
    @Arg('to', () => CalendarDate, { nullable: true, description: TO }) to: string | undefined,
    @Arg('asOf', () => CalendarDate, { nullable: true, description: AS_OF }) asOf: string | undefined,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after: string | undefined,
  ): Promise<Connection<ObservationObject>> {
    return this.#from.pages.page(seriesId, { from, to, asOf, first, after })
  }

  @Subscription(() => ObservationObject, {
    name: 'economicObservations',
    description:
      'Each new observation and each revision from now on, once; stored before it is told. INVALID_ARGUMENT for too many series.',
    subscribe: ({ args, info }: { args: { seriesIds?: string[] }; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, ObservationResolver).listenToObservations(args.seriesIds),
  })
  toldObservation(
    @Root() observation: Observation,
    @Arg('seriesIds', () => [ID], {
      nullable: true,
      description: `Only of these series, 1 to ${SERIES_MAX}. Of all where it is not given.`,
    })
    _seriesIds: string[] | undefined,
  ): ObservationObject {
    return observationView({ ...observation, seriesId: observation.series.seriesId })
  }

  @FieldResolver(() => EconomicSeriesObject, { description: 'The series it is of.' })
  async series(@Root() { seriesId }: ObservationObject): Promise<EconomicSeriesObject> {
    const series = await this.#from.loaders.series.load(seriesId)
    if (!series) throw new Error(`The series ${seriesId} of a stored observation is not stored`)
    return economicSeriesView(series)
  }

  async listenToObservations(seriesIds: readonly string[] = [EVERY_KEY]): Promise<AsyncIterable<Observation>> {
    const keys = [...new Set(seriesIds)]
    if (keys.length < 1 || keys.length > SERIES_MAX)
      throw new PlatformError('INVALID_ARGUMENT', `seriesIds must name 1 to ${SERIES_MAX} series, named ${keys.length}`)
    const channels = keys.map((key) => ({ channel: 'observation', key }) as const)
    return listen(this.#from.pubsub, channels, {
      keep: 'all',
      limit: OBSERVATIONS_WAITING_MAX,
      metrics: this.#from.metrics,
    })
  }
}
