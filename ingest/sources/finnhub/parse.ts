import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { VendorError } from '../../vendor-error.ts'
import { fromFinnhub } from './symbols.ts'

const { licence, title } = VENDORS.finnhub
const ID_PREFIX = 'finnhub:'
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200

const refusal = z.object({ error: z.string() })

/** An error is nothing but a sentence, also inside of HTTP 200; undefined where the answer is none. */
export function errorIn(value: unknown, body: Buffer): VendorError | undefined {
  const { data } = refusal.safeParse(value)
  if (data === undefined) return undefined
  const said = `${title} says: ${data.error.slice(0, 200)}`
  if (/limit/i.test(data.error)) return new VendorError('VENDOR_LIMIT', said)
  if (/api key|token/i.test(data.error)) return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
  if (/access|premium|permission/i.test(data.error)) return new VendorError('VENDOR_REFUSED', said)
  if (/symbol/i.test(data.error)) return new VendorError('VENDOR_UNKNOWN', said)
  return new VendorError('VENDOR_ANSWER', said, { original: body })
}

function answerOf(body: Buffer): JsonAnswer {
  const answer = new JsonAnswer(title, body)
  const error = errorIn(answer.value, body)
  if (error) throw error
  return answer
}

const quoteAnswer = z.object({ c: z.number(), pc: z.number().nullish(), t: z.number() })

/** @throws VendorError VENDOR_UNKNOWN where Finnhub does not know the symbol, which it says by zeros. */
export function parseQuote(body: Buffer, symbol: string, receivedAtMs: number): ItemsRead<QuoteSnapshot> {
  const answer = answerOf(body)
  const { t } = answer.as(quoteAnswer)
  if (t === 0) throw new VendorError('VENDOR_UNKNOWN', `${title} does not know ${symbol}`)
  return answer.items([answer.value], {
    where: 'quote',
    schema: quoteAnswer,
    alone: (item) => item,
    read: (item) =>
      quoteSnapshot({
        symbol,
        source: 'finnhub',
        licence,
        price: item.c,
        previousClose: item.pc ? item.pc : null,
        dayVolume: null,
        eventTimeMs: item.t * 1_000,
        ingestTimeMs: receivedAtMs,
        delayed: false,
      }),
  })
}

const newsItem = z.object({
  id: z.int().positive(),
  datetime: z.number(),
  headline: z.string(),
  summary: z.string().nullish(),
  source: z.string().nullish(),
  url: z.string(),
  related: z.string().nullish(),
})

/** Both of `/company-news` and `/news`: newest first, ids are stable. */
export function parseNews(body: Buffer, receivedAtMs: number): ItemsRead<Article> {
  const answer = answerOf(body)
  return answer.items(answer.as(z.array(z.unknown())), {
    where: 'news',
    schema: newsItem,
    alone: (item) => [item],
    read: (item) =>
      article({
        id: `${ID_PREFIX}${item.id}`,
        source: 'finnhub',
        licence,
        kind: 'NEWS',
        headline: plainText(item.headline, HEADLINE_LENGTH_MAX),
        summary: plainText(item.summary ?? '', SUMMARY_LENGTH_MAX),
        url: item.url,
        publisher: plainText(item.source ?? '', PUBLISHER_LENGTH_MAX) || title,
        language: 'en',
        publishedAtMs: Math.round(item.datetime * 1_000),
        ingestTimeMs: receivedAtMs,
        symbols: relatedSymbols(item.related ?? ''),
        vendorSentiment: null,
        filing: null,
      }),
  })
}

/** By which Finnhub knows an article, the newer the higher. */
export const numberOf = ({ id }: Article): number => Number(id.slice(ID_PREFIX.length))

/** A comma separated list in Finnhub's own forms; what is none of ours is left out. */
function relatedSymbols(related: string): string[] {
  const symbols = related.split(',').map((part) => fromFinnhub(part.trim()))
  return [...new Set(symbols.filter((symbol) => symbol !== undefined))].slice(0, SYMBOLS_PER_ARTICLE_MAX)
}
