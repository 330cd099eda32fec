import type { EconomicSeries, Observation } from '../../../domain/observation.ts'
import { localDate } from '../../exchange-clock.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { listIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { historyStartMs } from './feeds.ts'
import { parseGraph } from './parse-graph.ts'
import { ST_LOUIS } from './release-times.ts'

export const GRAPH_URL = 'https://fred.stlouisfed.org/graph'
/** Nobody has promised us these numbers: a little less than once an hour for each series. */
export const GRAPH_EVERY_MS = 61 * 60_000
/** The newest values are remembered, so that only what is new is told; revisions further back go unseen. */
export const REMEMBERED_MAX = 60

/** A chart's numbers of one series, without a key. */
export function graphFeed(series: EconomicSeries, http: VendorHttp, now: () => number): Feed {
  return {
    name: `graph:${series.seriesId}`,
    topic: 'economic-data',
    cost: 1,
    dueMs: every(GRAPH_EVERY_MS),
    ask: async (cursor, signal) => {
      const remembered = listIn(cursor, 'remembered')
      const since = remembered[0]?.slice(0, 10) ?? localDate(historyStartMs(now(), series.frequency), ST_LOUIS)
      const told = await http.get(
        { path: '/fredgraph.csv', query: { id: series.seriesId, cosd: since } },
        ({ body, receivedAtMs }) => seenOn(body, series, receivedAtMs),
        signal,
      )
      const before = new Set(remembered)
      const facts = told.facts.filter((observation) => !before.has(written(observation)))
      const newest = told.facts.slice(-REMEMBERED_MAX).map(written)
      return {
        ...factsOn('economic-data', { facts, rejects: told.rejects }),
        ...(newest.length > 0 && { cursor: { remembered: newest } }),
      }
    },
    reparse: (original) => factsOn('economic-data', seenOn(original, series, now())),
  }
}

const seenOn = (body: Buffer, series: EconomicSeries, seenAtMs: number): ItemsRead<Observation> =>
  parseGraph(body, series, localDate(seenAtMs, ST_LOUIS), seenAtMs)

const written = ({ date, value }: Observation): string => `${date}=${value ?? '.'}`
