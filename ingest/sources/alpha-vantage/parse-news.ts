import { DateTime } from 'luxon'
import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { PlatformError } from '../../../domain/errors.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { canonicalUrl, idOfUrl } from '../../canonical-url.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { decimal } from './decimal.ts'
import { answerOf, saysNoArticles, VENDOR } from './notices.ts'
import { fromAlphaVantage } from './symbols.ts'

const SOURCE = 'alpha-vantage'
const { licence } = VENDORS[SOURCE]
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200

const mood = z.object({ ticker: z.string(), relevance_score: decimal.catch(0) })
const newsFields = z.object({
  title: z.string(),
  url: z.string(),
  time_published: z.string(),
  summary: z.string().nullish(),
  source: z.string().nullish(),
  overall_sentiment_score: decimal.nullish().catch(null),
  overall_sentiment_label: z.string().nullish().catch(null),
  ticker_sentiment: z.array(mood).nullish(),
})
type NewsFields = z.infer<typeof newsFields>

/** NEWS_SENTIMENT. */
export function parseNews(body: Buffer, receivedAtMs: number): ItemsRead<Article> {
  const answer = answerOf(body, receivedAtMs)
  if (saysNoArticles(answer)) return { facts: [], rejects: [] }
  const { feed } = answer.as(z.object({ feed: z.array(z.unknown()) }))
  return answer.items(feed, {
    where: 'feed',
    schema: newsFields,
    alone: (item) => ({ feed: [item] }),
    read: (item) => articleOf(item, receivedAtMs),
  })
}

const articleOf = (item: NewsFields, ingestTimeMs: number): Article =>
  article({
    id: `${SOURCE}:${idOfUrl(item.url)}`,
    source: SOURCE,
    licence,
    kind: 'NEWS',
    headline: plainText(item.title, HEADLINE_LENGTH_MAX),
    summary: plainText(item.summary ?? '', SUMMARY_LENGTH_MAX),
    url: canonicalUrl(item.url),
    publisher: plainText(item.source ?? '', PUBLISHER_LENGTH_MAX) || VENDOR,
    language: 'en',
    publishedAtMs: utcMs(item.time_published),
    ingestTimeMs,
    symbols: symbolsOf(item.ticker_sentiment ?? []),
    vendorSentiment: item.overall_sentiment_score ?? moodOf(item.overall_sentiment_label ?? ''),
    filing: null,
  })

/** `20261120T143000`, UTC. */
function utcMs(stamp: string): number {
  const time = DateTime.fromFormat(stamp, stamp.length > 13 ? "yyyyMMdd'T'HHmmss" : "yyyyMMdd'T'HHmm", { zone: 'utc' })
  if (!time.isValid)
    throw new PlatformError('INVALID_EVENT', `time_published must be like 20261120T143000, was ${stamp.slice(0, 30)}`)
  return time.toMillis()
}

const symbolsOf = (moods: readonly z.infer<typeof mood>[]): string[] => {
  const symbols = moods
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .map(({ ticker }) => fromAlphaVantage(ticker))
    .filter((symbol) => symbol !== undefined)
  return [...new Set(symbols)].slice(0, SYMBOLS_PER_ARTICLE_MAX)
}

/** The middle of what Alpha Vantage means by the word; its documentation and its answers write some of them differently. */
const MOODS: ReadonlyMap<string, number> = new Map([
  ['bearish', -0.5],
  ['somewhat-bearish', -0.25],
  ['neutral', 0],
  ['somewhat-bullish', 0.25],
  ['bullish', 0.5],
])
const moodOf = (label: string): number | null => MOODS.get(label.toLowerCase().replaceAll(/[_ ]/g, '-')) ?? null
