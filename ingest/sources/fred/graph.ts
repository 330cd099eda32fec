import type { EconomicSeries, Observation } from '../../../domain/observation.ts'
import { localDate } from '../../exchange-clock.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { listIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import type { GraphClient } from './client.ts'
import { historyStartMs } from './feeds.ts'
import { parseGraph } from './parse-graph.ts'
import { ST_LOUIS } from './release-times.ts'

/** Nobody has promised us these numbers: a little less than once an hour for each series. */
export const GRAPH_EVERY_MS = 61 * 60_000
/** The newest values are remembered, so that only what is new is told; revisions further back go unseen. */
export const REMEMBERED_MAX = 60

/** A chart's numbers of one series, without a key. */
export function graphFeed(series: EconomicSeries, client: GraphClient, now: () => number): Feed {
  return {
    name: `graph:${series.seriesId}`,
    topic: 'economic-data',
    cost: 1,
    dueMs: every(GRAPH_EVERY_MS),
    ask: async (cursor, signal) => {
      const seen = seenIn(listIn(cursor, 'remembered'))
      const since = [...seen.keys()][0] ?? localDate(historyStartMs(now(), series.frequency), ST_LOUIS)
      const read = (body: Buffer, receivedAtMs: number) => seenOn(body, series, receivedAtMs)
      const told = await client.numbers(series.seriesId, since, read, signal)
      const facts = told.facts.filter((fact) => isNews(fact, seen.get(fact.date)))
      // What is missing today, or cannot be read, would be taken for a revision when it is back.
      for (const { date, value, vintage } of facts) seen.set(date, { value: written(value), vintage })
      const newest = [...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-REMEMBERED_MAX)
      return {
        ...factsOn('economic-data', { facts, rejects: told.rejects }),
        ...(newest.length > 0 && {
          cursor: { remembered: newest.map(([date, { value, vintage }]) => `${date}=${value} ${vintage}`) },
        }),
      }
    },
    reparse: (original) => factsOn('economic-data', seenOn(original, series, now())),
  }
}

interface Seen {
  readonly value: string
  readonly vintage: string
}

/** `2026-11-20=4.11 2026-11-23`: a date, its value and the day on which that was first seen. By date, the oldest first. */
const seenIn = (remembered: readonly string[]): Map<string, Seen> =>
  new Map(
    remembered.map((line) => {
      const [date = '', value = '', vintage = ''] = line.split(/[= ]/)
      return [date, { value, vintage }]
    }),
  )

/** A value that changes on the day on which it was first seen is told the day after: of one day, a date knows one value. */
const isNews = ({ value, vintage }: Observation, before: Seen | undefined): boolean =>
  before === undefined || (before.value !== written(value) && before.vintage !== vintage)

const seenOn = (body: Buffer, series: EconomicSeries, seenAtMs: number): ItemsRead<Observation> =>
  parseGraph(body, series, localDate(seenAtMs, ST_LOUIS), seenAtMs)

const written = (value: number | null): string => String(value ?? '.')
