import { type Article, article } from '../../domain/article.ts'
import { type DataQuality, dataQuality } from '../../domain/data-quality.ts'
import { type HistoricalBar, historicalBar } from '../../domain/historical-bar.ts'
import {
  type EconomicRelease,
  type EconomicSeries,
  economicRelease,
  type Observation,
  observation,
} from '../../domain/observation.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../domain/quote-snapshot.ts'

// One valid fact of each kind, with what a test cares about in place of the example's.

/** 2026-11-20 14:30 UTC, a Friday. */
export const FRIDAY_MS = Date.UTC(2026, 10, 20, 14, 30)

export const anArticle = (fields: Partial<Article> = {}): Article =>
  article({
    id: 'newsapi:1',
    source: 'newsapi',
    licence: 'DELAYED',
    kind: 'NEWS',
    headline: 'Apple opens a shop on the moon',
    summary: 'It is quiet there.',
    url: 'https://news.example/moon',
    publisher: 'Example News',
    language: 'en',
    publishedAtMs: FRIDAY_MS,
    ingestTimeMs: FRIDAY_MS + 60_000,
    symbols: ['AAPL'],
    vendorSentiment: 0.25,
    filing: null,
    ...fields,
  })

export const aFiling = (fields: Partial<Article> = {}): Article =>
  anArticle({
    id: 'sec-edgar:0000320193-26-000077',
    source: 'sec-edgar',
    licence: 'REDISTRIBUTABLE',
    kind: 'FILING',
    headline: 'Apple Inc. 8-K: Results of operations (2.02)',
    summary: '',
    publisher: 'SEC EDGAR',
    vendorSentiment: null,
    filing: {
      accessionNumber: '0000320193-26-000077',
      form: '8-K',
      items: ['2.02', '9.01'],
      cik: '0000320193',
      company: 'Apple Inc.',
    },
    ...fields,
  })

export const aSeries = (fields: Partial<EconomicSeries> = {}): EconomicSeries => ({
  seriesId: 'CPIAUCSL',
  title: 'Consumer Price Index for All Urban Consumers: All Items',
  unit: 'Index 1982-1984=100',
  frequency: 'MONTHLY',
  seasonallyAdjusted: true,
  source: 'fred',
  licence: 'REDISTRIBUTABLE',
  ...fields,
})

export const anObservation = (fields: Partial<Observation> = {}): Observation =>
  observation({
    series: aSeries(),
    date: '2026-10-01',
    value: 325.5,
    vintage: '2026-11-13',
    releasedAtMs: Date.UTC(2026, 10, 13, 13, 30),
    ingestTimeMs: FRIDAY_MS,
    ...fields,
  })

export const aRelease = (fields: Partial<EconomicRelease> = {}): EconomicRelease =>
  economicRelease({
    source: 'fred',
    licence: 'REDISTRIBUTABLE',
    releaseId: '10',
    name: 'Consumer Price Index',
    date: '2026-12-10',
    releasesAtMs: null,
    ingestTimeMs: FRIDAY_MS,
    ...fields,
  })

export const aSnapshot = (fields: Partial<QuoteSnapshot> = {}): QuoteSnapshot =>
  quoteSnapshot({
    symbol: 'AAPL',
    source: 'alpha-vantage',
    licence: 'PERSONAL',
    price: 231.5,
    previousClose: 229,
    dayVolume: 41_000_000,
    eventTimeMs: FRIDAY_MS,
    ingestTimeMs: FRIDAY_MS + 1_000,
    delayed: true,
    ...fields,
  })

export const aHistoricalBar = (fields: Partial<HistoricalBar> = {}): HistoricalBar =>
  historicalBar({
    symbol: 'AAPL',
    interval: '1m',
    startMs: FRIDAY_MS,
    open: 230,
    high: 232,
    low: 229,
    close: 231,
    volume: 1_000,
    trades: null,
    source: 'alpha-vantage',
    licence: 'PERSONAL',
    ingestTimeMs: FRIDAY_MS + 120_000,
    ...fields,
  })

export const aQualityEvent = (fields: Partial<DataQuality> = {}): DataQuality =>
  dataQuality({
    kind: 'JUMP',
    source: 'coinbase:BTC-USD',
    symbol: 'BTC-USD',
    eventTimeMs: FRIDAY_MS,
    ingestTimeMs: FRIDAY_MS + 10,
    detail: 'The price moved by 9.5 of its usual moves.',
    ...fields,
  })
