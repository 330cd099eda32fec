import type { Article } from '../../domain/article.ts'
import type { Queryable } from './connection.ts'
import { jsonRows, timeOf } from './sql-values.ts'

/** Stores the articles; one that is there already stays as it was. Answers those that were new, in the order given. */
export async function appendArticles(database: Queryable, articles: readonly Article[]): Promise<Article[]> {
  if (articles.length === 0) return []
  // In order of ids, so that two transactions never wait for each other.
  const { rows } = await database.query<{ id: string }>({
    name: 'articles-append',
    text: `WITH told AS (
             SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id text, source text, licence text, kind text, headline text,
               summary text, url text, publisher text, language text, published_at_ms float8, ingest_time_ms float8,
               symbols text[], vendor_sentiment float8, form text, items text[], accession_number text, cik text, company text)
           ), fresh AS (
             INSERT INTO news_data (id, source, licence, kind, headline, summary, url, publisher, language, published_at,
               ingest_time, symbols, vendor_sentiment, form, items, accession_number, cik, company)
             SELECT id, source, licence, kind, headline, summary, url, publisher, language, ${timeOf('published_at_ms')},
               ${timeOf('ingest_time_ms')}, symbols, vendor_sentiment, form, items, accession_number, cik, company
             FROM told ORDER BY id
             ON CONFLICT DO NOTHING RETURNING id, kind, published_at, symbols
           ), named AS (
             INSERT INTO news_symbols (symbol, kind, published_at, id)
             SELECT DISTINCT symbol, kind, published_at, id FROM fresh, unnest(symbols) AS symbol
           )
           SELECT id FROM fresh`,
    values: [jsonRows(articles.map(rowOf))],
  })
  const fresh = new Set(rows.map(({ id }) => id))
  // Of one that was told twice in these, the first is the row.
  return articles.filter(({ id }) => fresh.delete(id))
}

const rowOf = (article: Article) => ({
  id: article.id,
  source: article.source,
  licence: article.licence,
  kind: article.kind,
  headline: article.headline,
  summary: article.summary,
  url: article.url,
  publisher: article.publisher,
  language: article.language,
  published_at_ms: article.publishedAtMs,
  ingest_time_ms: article.ingestTimeMs,
  symbols: article.symbols,
  vendor_sentiment: article.vendorSentiment,
  form: article.filing?.form,
  items: article.filing?.items,
  accession_number: article.filing?.accessionNumber,
  cik: article.filing?.cik,
  company: article.filing?.company,
})
