import type { MarketStores } from '../../subgraphs/market/market.ts'
import { anObservation, aQualityEvent, aRelease, aSeries, FRIDAY_MS } from './facts.ts'

const SERIES = [aSeries(), aSeries({ seriesId: 'UNRATE', title: 'Unemployment Rate', unit: 'Percent' })]
const revised = anObservation({ value: 326, vintage: '2026-12-10' })

/** CPIAUCSL: September, and October with a revision. UNRATE: nothing yet. */
export const OBSERVATIONS = [
  anObservation({ date: '2026-09-01', value: 324, vintage: '2026-10-14' }),
  anObservation(),
  revised,
]
const RELEASES = ['2013-10-16', '2026-12-10', '2027-01-13'].map((date) => aRelease({ date }))
const QUALITY = [
  aQualityEvent(),
  aQualityEvent({ kind: 'SILENT_SOURCE', symbol: null, eventTimeMs: FRIDAY_MS + 1_000, detail: 'Silent for 30 s.' }),
].map((event, id) => ({ ...event, id }))

type EconomyStores = Pick<MarketStores, 'series' | 'observations' | 'releases' | 'dataQuality' | 'updatePlan'>

const pageOf = <T>(rows: readonly T[], first: number) => ({ items: rows.slice(0, first), hasNext: rows.length > first })

/** What the market subgraph asks beside prices, from memory. */
export function fakeEconomy(failing: () => void): EconomyStores {
  const stored = OBSERVATIONS.map(({ series, ...rest }) => ({ ...rest, seriesId: series.seriesId }))
  return {
    series: {
      find: async (ids) => {
        failing()
        return new Map(SERIES.filter(({ seriesId }) => ids.includes(seriesId)).map((one) => [one.seriesId, one]))
      },
      page: async ({ ids, search = '', first, after = '' }) =>
        pageOf(
          SERIES.filter(
            ({ seriesId, title }) =>
              (ids?.includes(seriesId) ?? true) &&
              seriesId > after &&
              `${seriesId} ${title}`.toLowerCase().includes(search.toLowerCase()),
          ),
          first,
        ),
    },
    observations: {
      page: async ({ seriesId, from = '', to = '9', asOf = '9', first, after = '' }) => {
        failing()
        const known = stored.filter(
          (one) =>
            one.seriesId === seriesId && one.date >= from && one.date < to && one.date > after && one.vintage <= asOf,
        )
        return pageOf([...new Map(known.map((one) => [one.date, one])).values()], first)
      },
      latest: async (ids) =>
        new Map(stored.filter(({ seriesId }) => ids.includes(seriesId)).map((one) => [one.seriesId, one])),
    },
    releases: {
      page: async ({ from, to = '9', first, after }) =>
        pageOf(
          RELEASES.filter(({ date }) => date >= from && date < to && (!after || date > after.date)),
          first,
        ),
    },
    dataQuality: {
      page: async ({ symbols, kinds, first, after }) =>
        pageOf(
          QUALITY.filter(
            ({ symbol, kind, id }) =>
              (symbols?.some((one) => one === symbol) ?? true) &&
              (kinds?.includes(kind) ?? true) &&
              (!after || id < after.id),
          ).toReversed(),
          first,
        ),
    },
    updatePlan: {
      find: async (symbols) =>
        new Map(symbols.filter((symbol) => symbol === 'MSFT').map((symbol) => [symbol, { nextUpdateAtMs: FRIDAY_MS }])),
    },
  }
}
