import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import type { NameMatcher } from '../../../domain/name-matcher.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { canonicalUrl, idOfUrl } from '../../canonical-url.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import { VendorError } from '../../vendor-error.ts'

const SOURCE = 'newsapi'
const { licence, title: VENDOR } = VENDORS[SOURCE]
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200
/** What is put in the place of an article that its publisher has withdrawn. */
const WITHDRAWN = '[Removed]'

const item = z.object({
  source: z.object({ name: z.string().nullish() }).nullish(),
  title: z.string().nullable(),
  description: z.string().nullish(),
  url: z.string(),
  publishedAt: rfc3339Ms,
})
const list = z.object({ totalResults: z.int().nonnegative().catch(0), articles: z.array(z.unknown()) })

export interface ArticlesRead extends ItemsRead<Article> {
  /** How many there are of what was asked for; the answer holds a page of them. */
  readonly found: number
}

/** Answers of `/everything` and `/top-headlines`. @throws VendorError */
export function parseArticles(body: Buffer, names: NameMatcher, receivedAtMs: number): ArticlesRead {
  const answer = new JsonAnswer(VENDOR, body)
  const error = refusalIn(answer.value, body)
  if (error) throw error
  const { articles, totalResults } = answer.as(list)
  const read = answer.items(articles, {
    where: 'articles',
    schema: item,
    alone: (one) => ({ status: 'ok', totalResults: 1, articles: [one] }),
    read: (one) => (one.title === WITHDRAWN ? undefined : articleOf(one, names, receivedAtMs)),
  })
  return { ...read, found: totalResults }
}

function articleOf(told: z.infer<typeof item>, names: NameMatcher, ingestTimeMs: number): Article {
  const publisher = plainText(told.source?.name ?? '', PUBLISHER_LENGTH_MAX) || hostOf(told.url)
  const headline = withoutPublisher(plainText(told.title ?? '', HEADLINE_LENGTH_MAX), publisher)
  const summary = plainText(told.description ?? '', SUMMARY_LENGTH_MAX)
  return article({
    id: `${SOURCE}:${idOfUrl(told.url)}`,
    source: SOURCE,
    licence,
    kind: 'NEWS',
    headline,
    summary,
    url: canonicalUrl(told.url),
    publisher,
    language: 'en',
    publishedAtMs: told.publishedAt,
    ingestTimeMs,
    // What the headline names comes before what the summary adds.
    symbols: [...new Set([...names.symbolsIn(headline), ...names.symbolsIn(summary)])].slice(
      0,
      SYMBOLS_PER_ARTICLE_MAX,
    ),
    vendorSentiment: null,
    filing: null,
  })
}

/** Headlines are told as `Stocks close higher - Example News`. */
const withoutPublisher = (headline: string, publisher: string): string =>
  headline.endsWith(` - ${publisher}`) ? headline.slice(0, -` - ${publisher}`.length) : headline

const hostOf = (url: string): string => new URL(canonicalUrl(url)).hostname.replace(/^www\./, '')

const refusal = z.object({ status: z.literal('error'), code: z.string().catch(''), message: z.string().catch('') })

/** NewsAPI's own error form, whatever the HTTP status was. */
export function refusalIn(value: unknown, body: Buffer): VendorError | undefined {
  const told = refusal.safeParse(value)
  if (!told.success) return undefined
  const { code, message } = told.data
  const said = `${VENDOR} says ${code.slice(0, 50)}: ${message.slice(0, 200)}`
  switch (code) {
    case 'apiKeyMissing':
    case 'apiKeyInvalid':
    case 'apiKeyDisabled':
      return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
    case 'apiKeyExhausted':
    case 'rateLimited':
      return new VendorError('VENDOR_LIMIT', said)
    case 'maximumResultsReached':
    case 'corsNotAllowed':
      return new VendorError('VENDOR_REFUSED', said)
    case 'sourceDoesNotExist':
      return new VendorError('VENDOR_UNKNOWN', said)
    case 'unexpectedError':
      return new VendorError('VENDOR_UNAVAILABLE', said)
    default:
      return new VendorError('VENDOR_ANSWER', said, { original: body })
  }
}

/** The error of an answer that is not 2xx; undefined where it is not in NewsAPI's form, so that the status decides. */
export function errorOf(body: Buffer): VendorError | undefined {
  try {
    return refusalIn(JSON.parse(body.toString('utf8')), body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
