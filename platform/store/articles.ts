import { ARTICLE_KINDS, type Article, type ArticleKind, type Filing } from '../../domain/article.ts'
import { PlatformError } from '../../domain/errors.ts'
import type { Licence } from '../../domain/vendors.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'
import { msOf, timeOf } from './sql-values.ts'

export interface ArticlePage {
  /** About any of these, where given; at most ARTICLE_FILTER_MAX. */
  readonly symbols?: readonly string[]
  readonly kinds?: readonly ArticleKind[]
  readonly sources?: readonly string[]
  readonly publishers?: readonly string[]
  /** Published at or after this. */
  readonly fromMs?: number
  /** Published before this. */
  readonly toMs?: number
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** The last one already seen. */
  readonly after?: ArticleKey
}

/** The place of an article in the order of pages: newest first. */
export interface ArticleKey {
  readonly publishedAtMs: number
  readonly id: string
}

/** A page for each of several instruments, all asked for alike. */
export type ArticlePagesBySymbol = Pick<ArticlePage, 'kinds' | 'first' | 'after'> & {
  /** At most ARTICLE_FILTER_MAX. */
  readonly symbols: readonly string[]
}

/** Each symbol, source or publisher asked for is a walk of its own along an index. */
export const ARTICLE_FILTER_MAX = 500

const COLUMNS = `a.id, a.source, a.licence, a.kind, a.headline, a.summary, a.url, a.publisher, a.language, a.symbols,
  a.vendor_sentiment, a.form, a.items, a.accession_number, a.cik, a.company,
  ${msOf('a.published_at')} AS published_at_ms, ${msOf('a.ingest_time')} AS ingest_time_ms`

interface Row {
  id: string
  source: string
  licence: Licence
  kind: ArticleKind
  headline: string
  summary: string
  url: string
  publisher: string
  language: string
  symbols: string[]
  vendor_sentiment: number | null
  form: string | null
  items: string[] | null
  accession_number: string | null
  cik: string | null
  company: string | null
  published_at_ms: number
  ingest_time_ms: number
}

/**
 * How a page is walked: along the index of what was asked for, the newest first, once for each of its values. What else
 * was asked for is looked at on the way. $2 to $5 are symbols, kinds, sources and publishers.
 */
const WALKS = {
  symbols: `unnest($2::text[]) AS named(symbol) CROSS JOIN unnest($3::text[]) AS like_kind(kind) CROSS JOIN LATERAL (
      SELECT s.published_at, s.id FROM news_symbols s JOIN news_data a USING (id)
      WHERE s.symbol = named.symbol AND s.kind = like_kind.kind`,
  publishers: `unnest($5::text[]) AS by(publisher) CROSS JOIN LATERAL (
      SELECT s.published_at, s.id FROM news_data s CROSS JOIN LATERAL (SELECT s.*) a WHERE s.publisher = by.publisher`,
  sources: `unnest($4::text[]) AS told(source) CROSS JOIN LATERAL (
      SELECT s.published_at, s.id FROM news_data s CROSS JOIN LATERAL (SELECT s.*) a WHERE s.source = told.source`,
  kinds: `unnest($3::text[]) AS like_kind(kind) CROSS JOIN LATERAL (
      SELECT s.published_at, s.id FROM news_data s CROSS JOIN LATERAL (SELECT s.*) a WHERE s.kind = like_kind.kind`,
  all: `(
      SELECT s.published_at, s.id FROM news_data s CROSS JOIN LATERAL (SELECT s.*) a WHERE true`,
} as const

/** What the `news` processor stored. */
export class Articles {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By id, in one query. Unknown ones are left out. */
  async find(ids: readonly string[]): Promise<Map<string, Article>> {
    const rows = await this.#database.query<Row>(
      'articles_find',
      `SELECT ${COLUMNS} FROM news_data a WHERE a.id = ANY($1::text[])`,
      [ids],
    )
    return new Map(rows.map((row) => [row.id, articleOf(row)]))
  }

  /** Newest first by publication, then by id. Each article once, however many of the symbols it names. */
  async page(page: ArticlePage): Promise<{ items: Article[]; hasNext: boolean }> {
    checkPageSize(page.first)
    const { symbols, kinds, sources, publishers } = page
    for (const list of [symbols, sources, publishers]) checkListSize(list)
    const walk = symbols ? 'symbols' : publishers ? 'publishers' : sources ? 'sources' : kinds ? 'kinds' : 'all'
    const { beforeMs, beforeId } = upperBound(page)
    const rows = await this.#database.query<Row>(
      `articles_page_by_${walk}`,
      `SELECT ${COLUMNS} FROM (
         SELECT DISTINCT walked.published_at, walked.id FROM ${WALKS[walk]}
             AND ($2::text[] IS NULL OR a.symbols && $2) AND ($3::text[] IS NULL OR a.kind = ANY ($3))
             AND ($4::text[] IS NULL OR a.source = ANY ($4)) AND ($5::text[] IS NULL OR a.publisher = ANY ($5))
             AND s.published_at >= coalesce(${timeOf('$6')}, '-infinity')
             AND (s.published_at, s.id) < (coalesce(${timeOf('$7')}, 'infinity'), $8::text)
           ORDER BY s.published_at DESC, s.id DESC LIMIT $1
         ) walked ORDER BY walked.published_at DESC, walked.id DESC LIMIT $1
       ) listed JOIN news_data a USING (id) ORDER BY listed.published_at DESC, listed.id DESC`,
      [
        page.first + 1,
        distinct(symbols),
        distinct(kinds ?? (symbols ? ARTICLE_KINDS : undefined)),
        distinct(sources),
        distinct(publishers),
        page.fromMs ?? null,
        beforeMs,
        beforeId,
      ],
    )
    return { items: rows.slice(0, page.first).map(articleOf), hasNext: rows.length > page.first }
  }

  /** For each of the symbols the page that `page` gives for it alone, in one query. Symbols without an article are left out. */
  async pagesBySymbol(
    pages: ArticlePagesBySymbol,
  ): Promise<Map<string, { readonly items: Article[]; readonly hasNext: boolean }>> {
    const { symbols, kinds = ARTICLE_KINDS, first } = pages
    checkPageSize(first)
    checkListSize(symbols)
    const { beforeMs, beforeId } = upperBound(pages)
    const rows = await this.#database.query<Row & { named: string }>(
      'articles_pages_by_symbol',
      `SELECT listed.named, ${COLUMNS} FROM unnest($2::text[]) AS asked(symbol) CROSS JOIN LATERAL (
         SELECT asked.symbol AS named, walked.* FROM unnest($3::text[]) AS like_kind(kind) CROSS JOIN LATERAL (
           SELECT s.published_at, s.id FROM news_symbols s
           WHERE s.symbol = asked.symbol AND s.kind = like_kind.kind
             AND (s.published_at, s.id) < (coalesce(${timeOf('$4')}, 'infinity'), $5::text)
           ORDER BY s.published_at DESC, s.id DESC LIMIT $1
         ) walked ORDER BY walked.published_at DESC, walked.id DESC LIMIT $1
       ) listed JOIN news_data a USING (id) ORDER BY listed.published_at DESC, listed.id DESC`,
      [first + 1, distinct(symbols), distinct(kinds), beforeMs, beforeId],
    )
    const bySymbol = Map.groupBy(rows, ({ named }) => named)
    return new Map(
      Array.from(bySymbol, ([symbol, found]) => [
        symbol,
        { items: found.slice(0, first).map(articleOf), hasNext: found.length > first },
      ]),
    )
  }
}

const distinct = (list: readonly string[] | undefined): readonly string[] | null => (list ? [...new Set(list)] : null)

function checkListSize(list: readonly string[] | undefined): void {
  if (list && list.length > ARTICLE_FILTER_MAX)
    throw new PlatformError('INVALID_ARGUMENT', `A filter has at most ${ARTICLE_FILTER_MAX} values, was ${list.length}`)
}

/** Everything strictly before (time, id): no id is before ''. */
function upperBound({ toMs, after }: Pick<ArticlePage, 'toMs' | 'after'>): {
  beforeMs: number | null
  beforeId: string
} {
  if (after && (toMs === undefined || after.publishedAtMs < toMs))
    return { beforeMs: after.publishedAtMs, beforeId: after.id }
  return { beforeMs: toMs ?? null, beforeId: '' }
}

const articleOf = (row: Row): Article => ({
  id: row.id,
  source: row.source,
  licence: row.licence,
  kind: row.kind,
  headline: row.headline,
  summary: row.summary,
  url: row.url,
  publisher: row.publisher,
  language: row.language,
  publishedAtMs: row.published_at_ms,
  ingestTimeMs: row.ingest_time_ms,
  symbols: row.symbols,
  vendorSentiment: row.vendor_sentiment,
  filing: filingOf(row),
})

function filingOf({ accession_number, form, items, cik, company }: Row): Filing | null {
  if (accession_number === null || form === null || cik === null || company === null) return null
  return { accessionNumber: accession_number, form, items: items ?? [], cik, company }
}
