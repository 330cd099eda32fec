import { FactCheck } from './check-fact.ts'
import type { Licence } from './vendors.ts'

/** One piece of news as its publisher told it: an article, a press release, a trading halt, a company's filing. */
export interface Article {
  /** Stable and unique over all sources: `<vendor>:<the vendor's own id, or a hash of the canonical address>`. Natural key. */
  readonly id: string
  readonly source: string
  readonly licence: Licence
  readonly kind: ArticleKind
  readonly headline: string
  /** An excerpt as far as the vendor's terms let us show one; empty where there is none. Plain text, no HTML. */
  readonly summary: string
  /** Where it can be read whole. */
  readonly url: string
  /** Who published it, for people: `Reuters`, `SEC EDGAR`. */
  readonly publisher: string
  readonly language: string
  /** When it was published, milliseconds since 1970 UTC. */
  readonly publishedAtMs: number
  readonly ingestTimeMs: number
  /** Instruments it names, as the vendor says, normalised, the most relevant first. May be empty. */
  readonly symbols: readonly string[]
  /** The vendor's own mood from -1 (bad) to 1 (good); null where the vendor gives none. */
  readonly vendorSentiment: number | null
  /** What was filed, where it is a filing. */
  readonly filing: Filing | null
}

export const ARTICLE_KINDS = ['NEWS', 'PRESS_RELEASE', 'FILING', 'TRADING_HALT', 'CENTRAL_BANK'] as const
export type ArticleKind = (typeof ARTICLE_KINDS)[number]

/** A document that a company filed with a regulator. */
export interface Filing {
  /** The regulator's number of the filing, e.g. `0001234567-26-000012`. */
  readonly accessionNumber: string
  /** `8-K`, `10-Q`, `4` … */
  readonly form: string
  /** Items of an 8-K, e.g. `2.02`; empty for other forms. */
  readonly items: readonly string[]
  /** Central Index Key, ten digits. */
  readonly cik: string
  readonly company: string
}

export const SYMBOLS_PER_ARTICLE_MAX = 50
const ITEMS_MAX = 30

const check = new FactCheck('Article')

/** The only way to make an article. @throws INVALID_EVENT with what was wrong. */
export function article(fields: Article): Article {
  check.text('id', fields.id, 300)
  check.text('source', fields.source, 500)
  check.licence(fields.licence)
  if (!ARTICLE_KINDS.includes(fields.kind)) check.fail(`kind must be one of ${ARTICLE_KINDS.join(', ')}`, fields.kind)
  check.text('headline', fields.headline, 1_000)
  check.optionalText('summary', fields.summary, 5_000)
  check.httpUrl('url', fields.url)
  check.text('publisher', fields.publisher, 200)
  if (!/^[a-z]{2}$/.test(fields.language)) check.fail('language must be two letters of ISO 639-1', fields.language)
  check.notAhead('publication time', fields.publishedAtMs, fields.ingestTimeMs, 86_400_000)
  check.listSize('symbols', fields.symbols, SYMBOLS_PER_ARTICLE_MAX)
  for (const symbol of fields.symbols) check.symbol(symbol)
  if (fields.vendorSentiment !== null) check.number('vendor sentiment', fields.vendorSentiment, -1, 1)
  if ((fields.kind === 'FILING') !== (fields.filing !== null))
    check.fail('filing must be there for kind FILING and for no other', fields.kind)
  if (fields.filing) checkFiling(fields.filing)
  return Object.freeze(fields)
}

function checkFiling(filing: Filing): void {
  if (!/^\d{10}-\d{2}-\d{6}$/.test(filing.accessionNumber))
    check.fail('accession number must be like 0001234567-26-000012', filing.accessionNumber)
  check.text('form', filing.form, 30)
  if (!/^\d{10}$/.test(filing.cik)) check.fail('CIK must be ten digits', filing.cik)
  check.text('company', filing.company, 300)
  check.listSize('items', filing.items, ITEMS_MAX)
  for (const item of filing.items)
    if (!/^\d{1,2}\.\d{2}$/.test(item)) check.fail('items of a filing must be like 2.02', item)
}

/** The topic's key: what is about one instrument stays in order with the rest about it. */
export const articleKey = (fields: Pick<Article, 'id' | 'symbols'>): string => fields.symbols[0] ?? fields.id
