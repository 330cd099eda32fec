import { localTimeMs, NEW_YORK } from '../../exchange-clock.ts'

/** Days of FRED, of its vintages among them, begin and end by the clock of St. Louis. */
export const ST_LOUIS = 'America/Chicago'

interface Release {
  /** By the clock of New York. */
  readonly time: string
  /** Of the followed series, those that it brings. */
  readonly series: readonly string[]
}

/** FRED tells the day of a release and no time; their publishers keep theirs. By FRED's ids of releases. */
const RELEASES: Readonly<Record<string, Release>> = {
  10: { time: '08:30', series: ['CPIAUCSL', 'CPILFESL'] },
  50: { time: '08:30', series: ['UNRATE', 'PAYEMS'] },
  53: { time: '08:30', series: ['GDPC1'] },
  101: { time: '14:00', series: [] },
  18: { time: '16:15', series: [] },
}
/** The same for releases whose ids are not documented to us, by their names. */
const TIMES_BY_NAME: ReadonlyMap<string, string> = new Map([
  ['Producer Price Index', '08:30'],
  ['Advance Monthly Sales for Retail and Food Services', '08:30'],
  ['Personal Income and Outlays', '08:30'],
  ['Unemployment Insurance Weekly Claims Report', '08:30'],
  ['New Residential Construction', '08:30'],
  ['G.17 Industrial Production and Capacity Utilization', '09:15'],
  ['Job Openings and Labor Turnover Survey', '10:00'],
  ['New Residential Sales', '10:00'],
  ['Surveys of Consumers', '10:00'],
])

/** Null: only the day is known. */
export function releasesAtMs(releaseId: string, name: string, date: string): number | null {
  const time = Object.hasOwn(RELEASES, releaseId) ? RELEASES[releaseId].time : TIMES_BY_NAME.get(name)
  return time === undefined ? null : (localTimeMs(date, time, NEW_YORK) ?? null)
}

/** The clock time at which a vintage of a series came, where its release has one; else its day's first moment. */
export function vintageAtMs(seriesId: string, vintage: string): number | undefined {
  const release = Object.values(RELEASES).find(({ series }) => series.includes(seriesId))
  return release ? localTimeMs(vintage, release.time, NEW_YORK) : localTimeMs(vintage, '00:00', ST_LOUIS)
}
