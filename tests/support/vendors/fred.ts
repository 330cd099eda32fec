import { DateTime } from 'luxon'
import type { EconomicSeries } from '../../../domain/observation.ts'
import { fred } from '../../../ingest/sources/fred/fred.ts'
import { KNOWN_SERIES } from '../../../ingest/sources/fred/known-series.ts'
import { parseObservations } from '../../../ingest/sources/fred/parse.ts'
import { parseGraph } from '../../../ingest/sources/fred/parse-graph.ts'
import type { Clock } from '../../../platform/clock.ts'
import { nameOf, type PolledVendorCase, type VendorFake } from './polled-vendor-case.ts'
import type { VendorQuestion } from './vendor-server.ts'

const ST_LOUIS = 'America/Chicago'
const DAY_MS = 86_400_000
/** 09:30 on a Tuesday in St. Louis: from now on a series is released each hour. */
const START_MS = Date.parse('2026-11-17T15:30:00Z')
const FIRST_DAY = '2026-10-20'
const FIRST_HOUR = 10
const KEY = 'fredkeythatnobodymaysee012345678'
/** By then each chart has been looked at on its day. */
const EARLY_MS = 3 * 3_600_000
const FOR_EVER = '9999-12-31'

/** Of daily series, released one after the other through the day, each with a revision of the day before. */
const SERIES = KNOWN_SERIES.filter(({ frequency }) => frequency === 'DAILY').slice(0, 6)
const FOLLOWED = SERIES.map(({ seriesId }) => seriesId)

interface Version {
  readonly date: string
  readonly value: string
  readonly vintage: string
  /** The last day on which it was the newest. */
  readonly until: string
}

const local = (ms: number) => DateTime.fromMillis(ms, { zone: ST_LOUIS })
const addDays = (date: string, days: number) => new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10)
/** Days begin by daylight saving, which is dear to know. */
const midnights = new Map<string, number>()
function midnightMs(date: string): number {
  const ms = midnights.get(date) ?? DateTime.fromISO(date, { zone: ST_LOUIS }).toMillis()
  midnights.set(date, ms)
  return ms
}
const releasedMs = (seriesId: string, date: string) =>
  midnightMs(date) + (FIRST_HOUR + FOLLOWED.indexOf(seriesId)) * 3_600_000

/** Every vintage that is out: a value is revised once, a day later, and every seventh is none. */
function versionsOf(seriesId: string, nowMs: number): readonly Version[] {
  const versions: Version[] = []
  for (let date = FIRST_DAY; releasedMs(seriesId, date) <= nowMs; date = addDays(date, 1)) {
    const day = Date.parse(date) / DAY_MS
    const value = 4 + FOLLOWED.indexOf(seriesId) + (day % 50) / 100
    const revised = addDays(date, 1)
    const isRevised = releasedMs(seriesId, revised) <= nowMs
    const told = (number: number) => (day % 7 === 0 ? '.' : number.toFixed(2))
    versions.push({ date, value: told(value), vintage: date, until: isRevised ? date : FOR_EVER })
    if (isRevised) versions.push({ date, value: told(value + 0.01), vintage: revised, until: FOR_EVER })
  }
  return versions
}

const later = (a: string, b: string) => (a > b ? a : b)

/** Of output type 1: what was known before the span is told as if it became so on its first day. */
function observationsOf(seriesId: string, query: URLSearchParams, nowMs: number): object {
  const spanStart = query.get('realtime_start') ?? ''
  const observedSince = query.get('observation_start') ?? ''
  const rows = versionsOf(seriesId, nowMs)
    .filter(({ until, date }) => until >= spanStart && date >= observedSince)
    .map(({ date, value, vintage, until }) => ({
      realtime_start: later(vintage, spanStart),
      realtime_end: until,
      date,
      value,
    }))
  return {
    realtime_start: spanStart,
    realtime_end: FOR_EVER,
    observation_start: observedSince,
    observation_end: FOR_EVER,
    units: 'lin',
    output_type: 1,
    file_type: 'json',
    order_by: 'observation_date',
    sort_order: 'asc',
    count: rows.length,
    offset: Number(query.get('offset')),
    limit: Number(query.get('limit')),
    observations: rows,
  }
}

function descriptionOf(seriesId: string, updatedMs: number): object {
  const series = SERIES.find((each) => each.seriesId === seriesId)
  return {
    id: seriesId,
    title: series?.title,
    frequency: 'Daily',
    frequency_short: 'D',
    units: series?.unit,
    units_short: '%',
    seasonal_adjustment: 'Not Seasonally Adjusted',
    seasonal_adjustment_short: 'NSA',
    last_updated: local(updatedMs).toFormat('yyyy-MM-dd HH:mm:ssZZZ').slice(0, -2),
    popularity: 88,
    notes: '',
  }
}

const newestMs = (seriesId: string, nowMs: number) =>
  releasedMs(seriesId, versionsOf(seriesId, nowMs).at(-1)?.date ?? FIRST_DAY)

function updatesBetween(query: URLSearchParams, nowMs: number): object {
  const momentOf = (name: string) =>
    DateTime.fromFormat(query.get(name) ?? '', 'yyyyMMddHHmm', { zone: ST_LOUIS }).toMillis()
  const changed = FOLLOWED.filter((seriesId) => {
    const ms = newestMs(seriesId, nowMs)
    return ms >= momentOf('start_time') && ms <= momentOf('end_time') + 59_999
  })
  return {
    filter_variable: 'geography',
    filter_value: 'all',
    order_by: 'last_updated',
    sort_order: 'desc',
    count: changed.length,
    offset: 0,
    limit: 1_000,
    seriess: changed.map((seriesId) => descriptionOf(seriesId, newestMs(seriesId, nowMs))),
  }
}

/** The same for as long as a test may last. */
const CALENDAR = {
  release_dates: [
    { release_id: 50, release_name: 'Employment Situation', date: '2026-12-04' },
    { release_id: 10, release_name: 'Consumer Price Index', date: '2026-12-10' },
  ],
}

const error = (status: number, message: string) => ({
  status,
  body: { error_code: status, error_message: `Bad Request.  ${message}` },
})

function answerTo({ path, query }: VendorQuestion, nowMs: number) {
  if (query.get('api_key') !== KEY) return error(400, 'The value for variable api_key is not registered.')
  // Without it FRED answers in XML.
  if (query.get('file_type') !== 'json') return { body: '<?xml version="1.0" encoding="utf-8" ?><seriess/>' }
  if (path === '/series/updates') return { body: updatesBetween(query, nowMs) }
  if (path === '/releases/dates') return { body: CALENDAR }
  const seriesId = query.get('series_id') ?? ''
  if (!FOLLOWED.includes(seriesId)) return error(400, 'The series does not exist.')
  if (path === '/series') return { body: { seriess: [descriptionOf(seriesId, newestMs(seriesId, nowMs))] } }
  if (path === '/series/observations') return { body: observationsOf(seriesId, query, nowMs) }
  return error(404, 'There is no such page.')
}

const fake = (clock: Clock): VendorFake => ({
  answer: (question) => answerTo(question, clock.now()),
  told: (nowMs) => [
    ...SERIES.flatMap((series) => {
      const query = new URLSearchParams({ realtime_start: FIRST_DAY, observation_start: FIRST_DAY })
      const body = Buffer.from(JSON.stringify(observationsOf(series.seriesId, query, nowMs)))
      return parseObservations(body, series, nowMs).facts.map((event) => nameOf({ topic: 'economic-data', event }))
    }),
    ...CALENDAR.release_dates.map(({ release_id, date }) => `economic-releases fred ${release_id}|${date}`),
  ],
})

export const fredCase: PolledVendorCase = {
  source: fred,
  variables: { FRED_KEY: KEY, FRED_SERIES: FOLLOWED.join(',') },
  symbols: [],
  keys: [KEY],
  keyOf: ({ query }) => query.get('api_key') ?? undefined,
  limits: [{ kind: 'sliding', requests: 120, perMs: 60_000 }],
  startMs: START_MS,
  timesFaster: 3_000,
  errorBody: '{"error_code":500,"error_message":"Internal Server Error"}',
  fake,
}

/** A chart's numbers as they are now, without vintages. */
function chartOf(seriesId: string, since: string, nowMs: number): string {
  const newest = new Map(versionsOf(seriesId, nowMs).map(({ date, value }) => [date, value]))
  const rows = [...newest].filter(([date]) => date >= since).map(([date, value]) => `${date},${value}`)
  return `observation_date,${seriesId}\n${rows.join('\n')}\n`
}

const charts = (clock: Clock): VendorFake => ({
  answer: ({ path, query }) => {
    const seriesId = query.get('id') ?? ''
    if (path !== '/fredgraph.csv' || !FOLLOWED.includes(seriesId))
      return { status: 404, body: '<!DOCTYPE html><html><body>Error - St. Louis Fed</body></html>' }
    const body = chartOf(seriesId, query.get('cosd') ?? '', clock.now())
    return { headers: { 'content-type': 'application/csv' }, body }
  },
  told: (nowMs) => SERIES.flatMap((series) => namesInChart(series, nowMs)),
})

/** All that there was at first is known from that day on, what came later from its own; once a day for each date. */
function namesInChart(series: EconomicSeries, nowMs: number): readonly string[] {
  const { seriesId } = series
  const known = new Map<string, { readonly value: number | null; readonly vintage: string }>()
  const names: string[] = []
  for (const atMs of [START_MS, ...momentsOf(seriesId, nowMs)]) {
    const body = Buffer.from(chartOf(seriesId, FIRST_DAY, atMs))
    for (const event of parseGraph(body, series, local(atMs).toISODate() ?? '', atMs).facts) {
      const before = known.get(event.date)
      if (before?.value === event.value || before?.vintage === event.vintage) continue
      known.set(event.date, event)
      names.push(nameOf({ topic: 'economic-data', event }))
    }
  }
  return names
}

/** When something was released after the start, and early on each day after it. */
function momentsOf(seriesId: string, nowMs: number): readonly number[] {
  const moments: number[] = []
  for (let day = FIRST_DAY; midnightMs(day) <= nowMs; day = addDays(day, 1))
    moments.push(midnightMs(day) + EARLY_MS, releasedMs(seriesId, day))
  return moments.filter((ms) => ms > START_MS && ms <= nowMs)
}

export const fredChartsCase: PolledVendorCase = {
  source: fred,
  variables: { FRED_SERIES: FOLLOWED.join(',') },
  symbols: [],
  keys: [],
  // FRED publishes none for people who look at charts; this is the politeness we promise.
  limits: [{ kind: 'sliding', requests: 12, perMs: 60_000 }],
  startMs: START_MS,
  timesFaster: 3_000,
  errorBody: 'Error: the chart could not be made. Please try again later.\n',
  fake: charts,
}
