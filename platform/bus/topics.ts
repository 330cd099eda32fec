import { readFileSync } from 'node:fs'
import { type Article, article, articleKey } from '../../domain/article.ts'
import { type Bar, bar, barEnd } from '../../domain/bar.ts'
import { type DataQuality, dataQuality } from '../../domain/data-quality.ts'
import { type HistoricalBar, historicalBar } from '../../domain/historical-bar.ts'
import { type EconomicRelease, economicRelease, type Observation, observation } from '../../domain/observation.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../domain/quote-snapshot.ts'
import { type Tick, tick } from '../../domain/tick.ts'

/** What travels on each topic. A fact's fields are its Avro schema's fields: `avro/<topic>.avsc`, compared by a test. */
export interface Topics {
  'stock-data': Tick
  /** Closed and corrected bars. */
  'stock-bars': Bar
  /** Prices as vendors picture them. */
  'stock-quotes': QuoteSnapshot
  /** Bars as vendors computed them, for times before ours. */
  'stock-history': HistoricalBar
  'news-data': Article
  'economic-data': Observation
  'economic-releases': EconomicRelease
  'data-quality': DataQuality
}
export type Topic = keyof Topics

/** Topics whose facts are told one by one as they are; ticks travel as columns, bars are made here. */
export type FactTopic = Exclude<Topic, 'stock-data' | 'stock-bars'>
/** A fact with the topic that it goes to. */
export type Fact = { [T in FactTopic]: { readonly topic: T; readonly event: Topics[T] } }[FactTopic]

export type Compatibility = 'BACKWARD_TRANSITIVE' | 'FULL_TRANSITIVE'

/** The context attributes that make an event recognisable outside of the platform (CloudEvents 1.0). */
export interface CloudEvent {
  readonly type: string
  readonly source: string
  readonly subject: string
  /** With the source it names the event: the same event told twice has the same key, and so the same `ce_id`. */
  readonly naturalKey: string
  readonly timeMs: number
}

export interface TopicDefinition<T> {
  /** Same key, same partition, in order. */
  readonly key: (event: T) => string
  /** What is read from the topic passes it, so that nobody's producer can put a broken fact in. @throws INVALID_EVENT */
  readonly check: (event: T) => T
  /** Carried as headers. Left out where headers on every record cost too much: docs/decisions/0007-no-headers-on-ticks.md. */
  readonly cloudEvent?: (event: T) => CloudEvent
  /** Never grown in place: keys would move to other partitions. A new topic and a replay instead. */
  readonly partitions: number
  readonly retentionMs: number
  /** How its Avro schema may change. */
  readonly compatibility: Compatibility
  readonly schema: string
}

const day = 86_400_000
const schema = (topic: string) => readFileSync(new URL(`avro/${topic}.avsc`, import.meta.url), 'utf8')

export const TOPICS: { readonly [T in Topic]: TopicDefinition<Topics[T]> } = {
  'stock-data': {
    key: (tick) => tick.symbol,
    check: tick,
    partitions: 12,
    retentionMs: 7 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-data'),
  },
  'stock-bars': {
    key: (bar) => bar.symbol,
    check: bar,
    cloudEvent: (bar) => ({
      type: 'updates.investor.Bar',
      source: 'bars',
      subject: bar.symbol,
      // A correction is another event of the same bar; every print that changes the bar changes its count.
      naturalKey: `${bar.symbol}|${bar.interval}|${bar.startMs}|${bar.trades}`,
      timeMs: barEnd(bar),
    }),
    partitions: 12,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-bars'),
  },
  'stock-quotes': {
    key: (quote) => quote.symbol,
    check: quoteSnapshot,
    cloudEvent: (quote) => ({
      type: 'updates.investor.QuoteSnapshot',
      source: quote.source,
      subject: quote.symbol,
      naturalKey: `${quote.symbol}|${quote.eventTimeMs}`,
      timeMs: quote.eventTimeMs,
    }),
    partitions: 6,
    retentionMs: 7 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-quotes'),
  },
  'stock-history': {
    key: (bar) => bar.symbol,
    check: historicalBar,
    cloudEvent: (bar) => ({
      type: 'updates.investor.HistoricalBar',
      source: bar.source,
      subject: bar.symbol,
      naturalKey: `${bar.symbol}|${bar.interval}|${bar.startMs}`,
      timeMs: barEnd(bar),
    }),
    partitions: 6,
    retentionMs: 7 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('stock-history'),
  },
  'news-data': {
    key: articleKey,
    check: article,
    cloudEvent: (article) => ({
      type: 'updates.investor.Article',
      source: article.source,
      subject: articleKey(article),
      naturalKey: article.id,
      timeMs: article.publishedAtMs,
    }),
    partitions: 6,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('news-data'),
  },
  'economic-data': {
    key: (observation) => observation.series.seriesId,
    check: observation,
    cloudEvent: (observation) => ({
      type: 'updates.investor.Observation',
      source: observation.series.source,
      subject: observation.series.seriesId,
      naturalKey: `${observation.series.seriesId}|${observation.date}|${observation.vintage}`,
      timeMs: observation.releasedAtMs,
    }),
    partitions: 3,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('economic-data'),
  },
  'economic-releases': {
    key: (release) => release.releaseId,
    check: economicRelease,
    cloudEvent: (release) => ({
      type: 'updates.investor.EconomicRelease',
      source: release.source,
      subject: release.releaseId,
      naturalKey: `${release.releaseId}|${release.date}`,
      timeMs: release.ingestTimeMs,
    }),
    partitions: 1,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('economic-releases'),
  },
  'data-quality': {
    key: (quality) => quality.symbol ?? quality.source,
    check: dataQuality,
    cloudEvent: (quality) => ({
      type: 'updates.investor.DataQuality',
      source: quality.source,
      subject: quality.symbol ?? quality.source,
      naturalKey: `${quality.kind}|${quality.symbol ?? ''}|${quality.eventTimeMs}`,
      timeMs: quality.eventTimeMs,
    }),
    partitions: 3,
    retentionMs: 30 * day,
    compatibility: 'BACKWARD_TRANSITIVE',
    schema: schema('data-quality'),
  },
}

/** Records given up on: the original bytes, with the reason and the origin in the headers. */
export const deadLetterTopic = (topic: string) => `${topic}.dlq`
/** Records that came after the allowed lateness: the original bytes. */
export const lateTopic = (topic: string) => `${topic}.late`
export const DEAD_LETTER_RETENTION_MS = 30 * day
