import { Arg, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { PlatformError } from '../../domain/errors.ts'
import { CalendarDate } from '../../platform/graphql/calendar-date.ts'
import { type Connection, connection, cursorOf, firstOf, keyOfCursor } from '../../platform/graphql/page.ts'
import { EconomicSeriesConnection, EconomicSeriesObject, economicSeriesView } from './economic-series.ts'
import type { SeriesStore } from './economic-stores.ts'
import type { Loaders } from './loaders.ts'
import { ObservationConnection, ObservationObject, observationView } from './observation.ts'
import { AFTER, AS_OF, FIRST, FROM, type ObservationPages, TO } from './observation-pages.ts'

const PAGE = { byDefault: 50, max: 500 }
const IDS_MAX = 500
const SEARCH_TEXT_LENGTH_MAX = 100
const CURSOR = 'series'

@Resolver(() => EconomicSeriesObject)
export class EconomicSeriesResolver {
  readonly #series: SeriesStore
  readonly #loaders: Loaders
  readonly #pages: ObservationPages

  constructor(series: SeriesStore, loaders: Loaders, pages: ObservationPages) {
    this.#series = series
    this.#loaders = loaders
    this.#pages = pages
  }

  @Query(() => EconomicSeriesConnection, {
    description:
      'Series in order of id, in pages. INVALID_ARGUMENT for a foreign cursor, or a page size, text or list out of bounds.',
  })
  async economicSeries(
    @Arg('ids', () => [ID], {
      nullable: true,
      description: `Only these, 1 to ${IDS_MAX}; those without a series are left out. All where it is not given.`,
    })
    ids: string[] | undefined,
    @Arg('search', () => String, {
      nullable: true,
      description: `Only those in whose id or title each word of the text is; 1 to ${SEARCH_TEXT_LENGTH_MAX} characters, case does not matter.`,
    })
    search: string | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<EconomicSeriesObject>> {
    if (ids && (ids.length < 1 || ids.length > IDS_MAX))
      throw new PlatformError('INVALID_ARGUMENT', `ids must name 1 to ${IDS_MAX} series, named ${ids.length}`)
    const text = search?.trim()
    if (text !== undefined && (text.length < 1 || text.length > SEARCH_TEXT_LENGTH_MAX))
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `search must have 1 to ${SEARCH_TEXT_LENGTH_MAX} characters, had ${text.length}`,
      )
    const page = await this.#series.page({
      ids,
      search: text,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: after === undefined ? undefined : keyOfCursor(CURSOR, after),
    })
    return connection(page, after, economicSeriesView, ({ seriesId }) => cursorOf(CURSOR, seriesId))
  }

  @Query(() => EconomicSeriesObject, {
    nullable: true,
    description: 'One series; null where there is none with the id.',
  })
  async series(
    @Arg('id', () => ID, { description: 'Its id, e.g. CPIAUCSL; upper and lower case are two.' }) id: string,
  ): Promise<EconomicSeriesObject | undefined> {
    const series = await this.#loaders.series.load(id)
    return series && economicSeriesView(series)
  }

  @FieldResolver(() => ObservationObject, {
    nullable: true,
    description: 'The value of its latest period as it is known now. Null where there is none yet.',
  })
  async latest(@Root() series: EconomicSeriesObject): Promise<ObservationObject | undefined> {
    const latest = await this.#loaders.latestObservations.load(series.id)
    return latest && observationView(latest)
  }

  @FieldResolver(() => ObservationConnection, {
    description:
      'Its observations, one a period, the oldest period first. INVALID_ARGUMENT for a foreign cursor, a page size out of bounds or a `from` that is not before `to`.',
  })
  observations(
    @Root() series: EconomicSeriesObject,
    @Arg('from', () => CalendarDate, { nullable: true, description: FROM }) from: string | undefined,
    @Arg('to', () => CalendarDate, { nullable: true, description: TO }) to: string | undefined,
    @Arg('asOf', () => CalendarDate, { nullable: true, description: AS_OF }) asOf: string | undefined,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after: string | undefined,
  ): Promise<Connection<ObservationObject>> {
    return this.#pages.page(series.id, { from, to, asOf, first, after })
  }
}
