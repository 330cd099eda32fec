import { FactCheck } from './check-fact.ts'
import type { Licence } from './vendors.ts'

export const FREQUENCIES = [
  'DAILY',
  'WEEKLY',
  'BIWEEKLY',
  'MONTHLY',
  'QUARTERLY',
  'SEMIANNUAL',
  'ANNUAL',
  'IRREGULAR',
] as const
export type Frequency = (typeof FREQUENCIES)[number]

/** What a series of observations measures. */
export interface EconomicSeries {
  /** Unique over all sources: FRED's own id (`CPIAUCSL`), else `<VENDOR>.<name>` (`ECB.EURUSD`, `UST.BC_10YEAR`). */
  readonly seriesId: string
  readonly title: string
  /** `Percent`, `Index 1982-1984=100`, `USD per EUR` … as the publisher says. */
  readonly unit: string
  readonly frequency: Frequency
  readonly seasonallyAdjusted: boolean
  readonly source: string
  readonly licence: Licence
}

/**
 * One value of one series for one period, as it was known from `vintage` on. A revision is another observation of the same
 * period with a later vintage; nothing is ever changed. Natural key: series, date, vintage.
 */
export interface Observation {
  readonly series: EconomicSeries
  /** First day of the period it is about, `2026-10-01`. */
  readonly date: string
  /** The publisher says that there is none (a holiday) where it is null. */
  readonly value: number | null
  /** The first day on which this value was the known one. */
  readonly vintage: string
  /**
   * When it was released, as exactly as the publisher tells, milliseconds since 1970 UTC; a day without a clock time is
   * its first moment in the publisher's time zone.
   */
  readonly releasedAtMs: number
  readonly ingestTimeMs: number
}

/** A planned or past publication. Natural key: source, release id, date. */
export interface EconomicRelease {
  readonly source: string
  readonly licence: Licence
  readonly releaseId: string
  readonly name: string
  readonly date: string
  /** The clock time, where it is known; null: only the day is. Milliseconds since 1970 UTC. */
  readonly releasesAtMs: number | null
  readonly ingestTimeMs: number
}

const SERIES_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/
const VALUE_MAX = 1e18

const checkObserved = new FactCheck('Observation')
const checkReleased = new FactCheck('Economic release')

/** The only way to make an observation. @throws INVALID_EVENT with what was wrong. */
export function observation(fields: Observation): Observation {
  const { series } = fields
  if (!SERIES_ID.test(series.seriesId))
    checkObserved.fail('series id must be 1 to 100 of A-Z a-z 0-9 _ . : -', series.seriesId)
  checkObserved.text('title', series.title, 500)
  checkObserved.text('unit', series.unit, 200)
  if (!FREQUENCIES.includes(series.frequency))
    checkObserved.fail(`frequency must be one of ${FREQUENCIES.join(', ')}`, series.frequency)
  checkObserved.text('source', series.source, 500)
  checkObserved.licence(series.licence)
  checkObserved.date('date', fields.date)
  checkObserved.date('vintage', fields.vintage)
  if (fields.value !== null) checkObserved.number('value', fields.value, -VALUE_MAX, VALUE_MAX)
  checkObserved.notAhead('release time', fields.releasedAtMs, fields.ingestTimeMs)
  return Object.freeze(fields)
}

/** The only way to make an economic release. @throws INVALID_EVENT with what was wrong. */
export function economicRelease(fields: EconomicRelease): EconomicRelease {
  checkReleased.text('source', fields.source, 500)
  checkReleased.licence(fields.licence)
  checkReleased.text('release id', fields.releaseId, 100)
  checkReleased.text('name', fields.name, 500)
  checkReleased.date('date', fields.date)
  if (fields.releasesAtMs !== null) checkReleased.time('release time', fields.releasesAtMs)
  checkReleased.time('ingest time', fields.ingestTimeMs)
  return Object.freeze(fields)
}
