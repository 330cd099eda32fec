import { z } from 'zod'
import { PlatformError } from '../../../domain/errors.ts'
import {
  type EconomicRelease,
  type EconomicSeries,
  economicRelease,
  FREQUENCIES,
  type Frequency,
  type Observation,
  observation,
} from '../../../domain/observation.ts'
import { LICENCES, VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { VendorError } from '../../vendor-error.ts'
import { licenceOfSeries } from './licence.ts'
import { releasesAtMs, vintageAtMs } from './release-times.ts'

const SOURCE = 'fred'
const VENDOR = 'FRED'
const { licence } = VENDORS[SOURCE]
const TITLE_LENGTH_MAX = 500
const UNIT_LENGTH_MAX = 200

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date')
/** FRED writes a dot where there is no value: a holiday, a strike, a shutdown. */
const value = z.union([
  z.enum(['.', '']).transform(() => null),
  z
    .string()
    .regex(/^-?(\d+\.?\d*|\.\d+)$/, 'expected a decimal number or a dot')
    .transform(Number),
])

const row = z.object({ realtime_start: date, date, value })
const rows = z.object({ realtime_start: date, count: z.int().catch(0), observations: z.array(z.unknown()) })

export interface ObservationsRead extends ItemsRead<Observation> {
  /** How many there are in all; the answer holds a page of them. */
  readonly count: number
}

/**
 * series/observations of output type 1 over a span of real time: every value of every period with the day it became known.
 * What was known before the span is told as if it became so on its first day; those rows are left out.
 */
export function parseObservations(body: Buffer, series: EconomicSeries, receivedAtMs: number): ObservationsRead {
  const answer = answerOf(body)
  const { observations, realtime_start: spanStart, count } = answer.as(rows)
  const read = answer.items(observations, {
    where: `observations of ${series.seriesId}`,
    schema: row,
    // The series is added so that a row can be read again alone, years later.
    alone: (item) => ({ realtime_start: spanStart, observations: [item], series }),
    read: (item) => {
      if (item.realtime_start <= spanStart && item.date < item.realtime_start) return undefined
      return known(series, item.date, item.value, item.realtime_start, receivedAtMs)
    },
  })
  return { ...read, count }
}

/** A value as it was known from that day on. @throws INVALID_EVENT */
export function known(
  series: EconomicSeries,
  day: string,
  told: number | null,
  vintage: string,
  ingestTimeMs: number,
): Observation {
  const releasedAtMs = vintageAtMs(series.seriesId, vintage)
  if (releasedAtMs === undefined) throw new PlatformError('INVALID_EVENT', `there is no day ${vintage}`)
  return observation({ series, date: day, value: told, vintage, releasedAtMs, ingestTimeMs })
}

const described = z.object({
  series: z.object({
    seriesId: z.string(),
    title: z.string(),
    unit: z.string(),
    frequency: z.enum(FREQUENCIES),
    seasonallyAdjusted: z.boolean(),
    source: z.string(),
    licence: z.enum(LICENCES),
  }),
})

/** Observations that were put aside, with the series that was put aside with them. @throws VendorError VENDOR_ANSWER */
export function reparseObservations(original: Buffer, ingestTimeMs: number): ItemsRead<Observation> {
  const { series } = answerOf(original).as(described)
  return parseObservations(original, series, ingestTimeMs)
}

const LETTERS: ReadonlyMap<string, Frequency> = new Map([
  ['D', 'DAILY'],
  ['W', 'WEEKLY'],
  ['BW', 'BIWEEKLY'],
  ['M', 'MONTHLY'],
  ['Q', 'QUARTERLY'],
  ['SA', 'SEMIANNUAL'],
  ['A', 'ANNUAL'],
])
const description = z.object({
  id: z.string(),
  title: z.string(),
  units: z.string(),
  frequency_short: z.string(),
  seasonal_adjustment_short: z.string(),
  notes: z.string().nullish(),
})

/** The series that was asked for. @throws VendorError VENDOR_ANSWER where the answer describes another one. */
export function parseSeries(body: Buffer, seriesId: string): EconomicSeries {
  const answer = answerOf(body)
  const [told] = answer.as(z.object({ seriess: z.array(description) })).seriess
  if (told?.id !== seriesId) throw answer.problem(`${seriesId} was asked for and is not described`)
  const title = plainText(told.title, TITLE_LENGTH_MAX)
  return {
    seriesId,
    title: title || seriesId,
    unit: plainText(told.units, UNIT_LENGTH_MAX) || 'Units',
    frequency: LETTERS.get(told.frequency_short) ?? 'IRREGULAR',
    seasonallyAdjusted: /^SA/.test(told.seasonal_adjustment_short),
    source: SOURCE,
    licence: licenceOfSeries(seriesId, title, told.notes ?? ''),
  }
}

/** A series that has changed, and when. */
export interface SeriesUpdate {
  readonly seriesId: string
  readonly updatedAtMs: number
}

/** `2026-11-20 15:16:02-06` */
const updateTime = z.string().transform((text, context): number => {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})([+-]\d{2})$/.exec(text)
  const ms = parts ? Date.parse(`${parts[1]}T${parts[2]}${parts[3]}:00`) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  context.addIssue({ code: 'custom', message: 'expected a time like 2026-11-20 15:16:02-06' })
  return z.NEVER
})
const update = z.object({ id: z.string(), last_updated: updateTime })

export interface UpdatesRead extends ItemsRead<SeriesUpdate> {
  readonly count: number
  /** How many of them the answer holds. */
  readonly told: number
}

/** series/updates. */
export function parseUpdates(body: Buffer): UpdatesRead {
  const answer = answerOf(body)
  const { seriess, count } = answer.as(z.object({ seriess: z.array(z.unknown()), count: z.int().catch(0) }))
  const read = answer.items(seriess, {
    where: 'seriess',
    schema: update,
    alone: (item) => ({ seriess: [item] }),
    read: (item): SeriesUpdate => ({ seriesId: item.id, updatedAtMs: item.last_updated }),
  })
  return { ...read, count, told: seriess.length }
}

const releaseDate = z.object({ release_id: z.int(), release_name: z.string(), date })

/** releases/dates, of the future too. */
export function parseReleases(body: Buffer, receivedAtMs: number): ItemsRead<EconomicRelease> {
  const answer = answerOf(body)
  return answer.items(answer.as(z.object({ release_dates: z.array(z.unknown()) })).release_dates, {
    where: 'release_dates',
    schema: releaseDate,
    alone: (item) => ({ release_dates: [item] }),
    read: (item) => {
      const releaseId = String(item.release_id)
      const name = plainText(item.release_name, TITLE_LENGTH_MAX)
      return economicRelease({
        source: SOURCE,
        licence,
        releaseId,
        name,
        date: item.date,
        releasesAtMs: releasesAtMs(releaseId, name, item.date),
        ingestTimeMs: receivedAtMs,
      })
    },
  })
}

/** @throws VendorError where it is an error, which has been seen with status 200 too, or no JSON at all. */
function answerOf(body: Buffer): JsonAnswer {
  const answer = new JsonAnswer(VENDOR, body)
  const error = refusalIn(answer.value, body)
  if (error) throw error
  return answer
}

const refusal = z.object({ error_code: z.number(), error_message: z.string().catch('') })

function refusalIn(answer: unknown, body: Buffer): VendorError | undefined {
  const told = refusal.safeParse(answer)
  if (!told.success) return undefined
  const { error_code: code, error_message: message } = told.data
  const said = `${VENDOR} says ${code}: ${message.slice(0, 200)}`
  if (code === 429 || code === 423) return new VendorError('VENDOR_LIMIT', said)
  if (code >= 500) return new VendorError('VENDOR_UNAVAILABLE', said)
  if (/api_key/i.test(message)) return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
  // A series that there is not is a bad request to FRED, not something that was not found.
  if (code === 404 || /does not exist/i.test(message)) return new VendorError('VENDOR_UNKNOWN', said)
  return new VendorError('VENDOR_ANSWER', said, { original: body })
}

/** The error of an answer that is not 2xx; undefined where it is not in FRED's form, so that the status decides. */
export function errorOf(body: Buffer): VendorError | undefined {
  try {
    return refusalIn(JSON.parse(body.toString('utf8')), body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
