import type { Named, NameMatcher } from '../../../domain/name-matcher.ts'
import { numberIn, textIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed, FeedCursor } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import { type NewsApiClient, QUERY_LENGTH_MAX } from './client.ts'
import { companyQuery } from './company-query.ts'
import { parseArticles } from './parse.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Of the requests of a day; the rest is for the headlines. */
const COMPANIES_SHARE = 0.72
const HEADLINES_SHARE = 0.24
/** Nothing is published so fast that asking more often would tell more. */
const EVERY_MS_MIN = 60_000
/** A developer's key is told articles a day after they were published. */
const DELAY_MS = DAY_MS
/** Articles may be found a while after their time. */
const OVERLAP_MS = HOUR_MS
/** A developer's key may look back a month, and is refused whole where it asks for more. */
const BACK_MS_MAX = 28 * DAY_MS

export interface FeedContext {
  readonly client: NewsApiClient
  /** Who is asked about, in a stable order. */
  readonly companies: readonly Named[]
  readonly names: NameMatcher
  readonly requestsPerDay: number
  readonly now: () => number
}

export const newsFeeds = (context: FeedContext): readonly Feed[] => [companiesFeed(context), headlinesFeed(context)]

/**
 * One query after the other over all companies, round and round. Each asks for what was published since the round before
 * this one began, so that nothing lies between two looks at a company, however long a round takes.
 */
function companiesFeed({ client, companies, requestsPerDay, names, now }: FeedContext): Feed {
  return {
    name: 'companies',
    topic: 'news-data',
    cost: 1,
    dueMs: every(everyOf(requestsPerDay * COMPANIES_SHARE)),
    ask: async (cursor, signal) => {
      const query = companyQuery(companies, textIn(cursor, 'next'), QUERY_LENGTH_MAX)
      if (!query) return { facts: [], rejects: [] }
      const nowMs = now()
      const roundMs = numberIn(cursor, 'roundMs') ?? nowMs
      const roundBeforeMs = numberIn(cursor, 'roundBeforeMs') ?? roundMs - DAY_MS
      const sinceMs = Math.max(nowMs - BACK_MS_MAX, roundBeforeMs - DELAY_MS - OVERLAP_MS)
      const articles = await client.everything(query.text, sinceMs, names, signal)
      const next: FeedCursor = query.endsRound
        ? { next: query.next, roundBeforeMs: roundMs }
        : { next: query.next, roundMs, roundBeforeMs }
      return { ...factsOn('news-data', articles), cursor: next }
    },
    reparse: (original) => factsOn('news-data', parseArticles(original, names, now())),
  }
}

function headlinesFeed({ client, requestsPerDay, names, now }: FeedContext): Feed {
  return {
    name: 'headlines',
    topic: 'news-data',
    cost: 1,
    dueMs: every(everyOf(requestsPerDay * HEADLINES_SHARE)),
    ask: async (_cursor, signal) => factsOn('news-data', await client.businessHeadlines(names, signal)),
    reparse: (original) => factsOn('news-data', parseArticles(original, names, now())),
  }
}

const everyOf = (requestsPerDay: number): number => Math.max(EVERY_MS_MIN, Math.ceil(DAY_MS / requestsPerDay))
