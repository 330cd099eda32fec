import type { Frequency } from '../../../domain/observation.ts'
import { localDate } from '../../exchange-clock.ts'
import { listIn, numberIn, textIn } from '../../polling/cursor-values.ts'
import { factsOn, isUnread } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import { type FredClient, PAGES_MAX } from './client.ts'
import { parseReleases, reparseObservations } from './parse.ts'
import { ST_LOUIS } from './release-times.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const YEAR_MS = 365.25 * DAY_MS

const UPDATES_EVERY_MS = 2 * MINUTE_MS
/** Series show up in the list of updates a while after their time. */
const UPDATES_OVERLAP_MS = 15 * MINUTE_MS
/** FRED looks back two weeks and no further. */
const UPDATES_BACK_MS_MAX = 13 * DAY_MS
/** Besides, in case the list of updates left one out. */
const SERIES_EVERY_MS = DAY_MS
const RELEASES_EVERY_MS = 6 * HOUR_MS

/** How far back a series is read when it is first asked for: FRED refuses spans with more than two thousand vintages. */
export const historyStartMs = (nowMs: number, frequency: Frequency): number =>
  nowMs - (frequency === 'DAILY' || frequency === 'WEEKLY' ? 5 : 20) * YEAR_MS

/** Followed series that are known to have changed and have not been asked for since. */
export class ChangedSeries {
  readonly #changedAtMs = new Map<string, number>()

  mark(seriesId: string, changedAtMs: number): void {
    this.#changedAtMs.set(seriesId, Math.max(changedAtMs, this.#changedAtMs.get(seriesId) ?? 0))
  }

  /** What changed while it was being asked for is asked for again. */
  asked(seriesId: string, askedMs: number): void {
    if ((this.#changedAtMs.get(seriesId) ?? 0) <= askedMs) this.#changedAtMs.delete(seriesId)
  }

  has(seriesId: string): boolean {
    return this.#changedAtMs.has(seriesId)
  }

  get all(): readonly string[] {
    return [...this.#changedAtMs.keys()]
  }
}

export interface FeedContext {
  readonly client: FredClient
  readonly seriesIds: readonly string[]
  readonly now: () => number
}

/** Asks what has changed, and then only for that. */
export function fredFeeds(context: FeedContext): readonly Feed[] {
  const changed = new ChangedSeries()
  return [
    updatesFeed(context, changed),
    ...context.seriesIds.map((seriesId) => seriesFeed(seriesId, context, changed)),
    releasesFeed(context),
  ]
}

/** Tells no facts: it moves the series that have changed to the front. */
function updatesFeed({ client, seriesIds, now }: FeedContext, changed: ChangedSeries): Feed {
  const followed = new Set(seriesIds)
  return {
    name: 'updates',
    cost: PAGES_MAX,
    dueMs: every(UPDATES_EVERY_MS),
    ask: async (cursor, signal) => {
      const nowMs = now()
      const untilMs = numberIn(cursor, 'untilMs') ?? nowMs
      // Known to have changed before a restart, and not asked for since.
      for (const seriesId of listIn(cursor, 'pending')) if (followed.has(seriesId)) changed.mark(seriesId, nowMs)
      const fromMs = Math.max(untilMs - UPDATES_OVERLAP_MS, nowMs - UPDATES_BACK_MS_MAX)
      const updates = await client.updates(fromMs, nowMs, signal)
      for (const { seriesId } of updates.facts) if (followed.has(seriesId)) changed.mark(seriesId, now())
      // One of ours may be beyond the list where it does not end, or be what could not be read.
      if (!updates.whole || updates.rejects.length > 0) for (const seriesId of followed) changed.mark(seriesId, now())
      return { facts: [], rejects: updates.rejects, cursor: { untilMs: nowMs, pending: changed.all } }
    },
    reparse: () => ({ facts: [], rejects: [] }),
  }
}

function seriesFeed(seriesId: string, { client, now }: FeedContext, changed: ChangedSeries): Feed {
  return {
    name: `series:${seriesId}`,
    topic: 'economic-data',
    cost: 1 + PAGES_MAX,
    dueMs: (nowMs, lastAskedMs) => {
      if (lastAskedMs === undefined || changed.has(seriesId)) return nowMs
      return lastAskedMs + SERIES_EVERY_MS
    },
    ask: async (cursor, signal) => {
      const nowMs = now()
      const series = await client.series(seriesId, signal)
      const observedSince = localDate(historyStartMs(nowMs, series.frequency), ST_LOUIS)
      // The day that was read last may have gone on after it was read; what it told is told again and known.
      const knownSince = textIn(cursor, 'readUntil') ?? observedSince
      const observations = await client.observations(series, { knownSince, observedSince }, signal)
      changed.asked(seriesId, nowMs)
      return {
        ...factsOn('economic-data', observations),
        isUnread: isUnread(observations),
        cursor: { readUntil: localDate(nowMs - DAY_MS, ST_LOUIS) },
      }
    },
    reparse: (original) => factsOn('economic-data', reparseObservations(original, now())),
  }
}

function releasesFeed({ client, now }: FeedContext): Feed {
  return {
    name: 'releases',
    topic: 'economic-releases',
    cost: 1,
    dueMs: every(RELEASES_EVERY_MS),
    ask: async (_cursor, signal) =>
      factsOn('economic-releases', await client.releases(localDate(now(), ST_LOUIS), signal)),
    reparse: (original) => factsOn('economic-releases', parseReleases(original, now())),
  }
}
