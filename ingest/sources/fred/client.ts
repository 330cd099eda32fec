import { DateTime } from 'luxon'
import type { EconomicRelease, EconomicSeries, Observation } from '../../../domain/observation.ts'
import type { ItemReject, ItemsRead } from '../../json-answer.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { parseObservations, parseReleases, parseSeries, parseUpdates, type SeriesUpdate } from './parse.ts'
import { ST_LOUIS } from './release-times.ts'

export const BASE_URL = 'https://api.stlouisfed.org/fred'
export const GRAPH_URL = 'https://fred.stlouisfed.org/graph'
const OBSERVATIONS_PAGE = 100_000
const UPDATES_PAGE = 1_000
const RELEASES_PAGE = 1_000
/** Pages of one ask: what is beyond them is no answer to one question any more. */
export const PAGES_MAX = 5
/** The end of real time, as FRED writes it. */
const FOR_EVER = '9999-12-31'

export interface Span {
  /** Only what became known after that day is sure to be told with its own first day. */
  readonly knownSince: string
  readonly observedSince: string
}

export interface Updates extends ItemsRead<SeriesUpdate> {
  /** False where there were more than `PAGES_MAX` pages. */
  readonly whole: boolean
}

/** The key is put in by who sends the request. Without `file_type` FRED answers in XML. */
export class FredClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  series(seriesId: string, signal: AbortSignal): Promise<EconomicSeries> {
    return this.#ask('/series', { series_id: seriesId }, (body) => parseSeries(body, seriesId), signal)
  }

  /** Every value with the day on which it became known. */
  async observations(series: EconomicSeries, span: Span, signal: AbortSignal): Promise<ItemsRead<Observation>> {
    const query = {
      series_id: series.seriesId,
      output_type: 1,
      realtime_start: span.knownSince,
      realtime_end: FOR_EVER,
      observation_start: span.observedSince,
      sort_order: 'asc',
      limit: OBSERVATIONS_PAGE,
    }
    const facts: Observation[] = []
    const rejects: ItemReject[] = []
    for (let page = 0; page < PAGES_MAX; page++) {
      const offset = page * OBSERVATIONS_PAGE
      const read = (body: Buffer, receivedAtMs: number) => parseObservations(body, series, receivedAtMs)
      const told = await this.#ask('/series/observations', { ...query, offset }, read, signal)
      facts.push(...told.facts)
      rejects.push(...told.rejects)
      if (told.count <= offset + OBSERVATIONS_PAGE) break
    }
    return { facts, rejects }
  }

  /** Series that changed between the two moments, which must not lie further back than two weeks. */
  async updates(fromMs: number, toMs: number, signal: AbortSignal): Promise<Updates> {
    const query = { start_time: minuteOf(fromMs), end_time: minuteOf(toMs), limit: UPDATES_PAGE }
    const facts: SeriesUpdate[] = []
    const rejects: ItemReject[] = []
    for (let page = 0; page < PAGES_MAX; page++) {
      const told = await this.#ask('/series/updates', { ...query, offset: page * UPDATES_PAGE }, parseUpdates, signal)
      facts.push(...told.facts)
      rejects.push(...told.rejects)
      if (told.told < UPDATES_PAGE) return { facts, rejects, whole: true }
    }
    return { facts, rejects, whole: false }
  }

  /** Publications that are planned from that day on. */
  releases(fromDate: string, signal: AbortSignal): Promise<ItemsRead<EconomicRelease>> {
    const query = {
      include_release_dates_with_no_data: 'true',
      sort_order: 'asc',
      realtime_start: fromDate,
      realtime_end: FOR_EVER,
      limit: RELEASES_PAGE,
    }
    return this.#ask('/releases/dates', query, parseReleases, signal)
  }

  #ask<T>(
    path: string,
    query: Readonly<Record<string, string | number>>,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#http.get(
      { path, query: { ...query, file_type: 'json' } },
      ({ body, receivedAtMs }) => read(body, receivedAtMs),
      signal,
    )
  }
}

/** What the charts of FRED's site are drawn from. Needs no key. */
export class GraphClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** The numbers of a series from that day on, as a table. */
  numbers<T>(
    seriesId: string,
    since: string,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#http.get(
      { path: '/fredgraph.csv', query: { id: seriesId, cosd: since } },
      ({ body, receivedAtMs }) => read(body, receivedAtMs),
      signal,
    )
  }
}

/** FRED reads times by the clock of St. Louis. */
const minuteOf = (timeMs: number): string => DateTime.fromMillis(timeMs, { zone: ST_LOUIS }).toFormat('yyyyMMddHHmm')
