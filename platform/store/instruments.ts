import { PlatformError } from '../../domain/errors.ts'
import type { AssetClass, Instrument } from '../../domain/instrument.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'
import { printable } from './printable.ts'

export interface InstrumentPage {
  /** Only these, where given. */
  readonly symbols?: readonly string[]
  /** 1 to PAGE_SIZE_MAX. */
  readonly first: number
  /** Symbol of the last one already seen. */
  readonly after?: string
}

interface Row {
  symbol: string
  name: string
  exchange: string
  currency: string
  asset_class: AssetClass
  aliases: string[]
  cik: string | null
}

const COLUMNS = 'symbol, name, exchange, currency, asset_class, aliases, cik'
const ROWS_PER_STATEMENT_MAX = 5_000
export const SEARCH_TEXT_MAX = 100
const SEARCH_WORDS_MAX = 8

/** What the platform knows to trade, by symbol. */
export class Instruments {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Adds new ones and describes known ones anew, but for those that were described here and of which something is known that
   * is newer than `asOfMs`. What is left empty stays as it was. Of several with one symbol the last counts. Repeating it
   * changes nothing, and where nothing changes nothing is written.
   */
  async add(instruments: readonly Instrument[], asOfMs: number = Date.now()): Promise<void> {
    await this.#describe('instruments_add', ADD, instruments, asOfMs)
  }

  /**
   * Takes a list that somebody else keeps, such as a regulator's: adds the ones nobody has described and fills what is empty
   * in the others. What `add` has said stays, but for the CIK: companies get a new one when they are merged or re-formed.
   */
  async refresh(instruments: readonly Instrument[], asOfMs: number = Date.now()): Promise<void> {
    await this.#describe('instruments_refresh', REFRESH, instruments, asOfMs)
  }

  async #describe(name: string, sql: string, instruments: readonly Instrument[], asOfMs: number): Promise<void> {
    const bySymbol = [...new Map(instruments.map((instrument) => [instrument.symbol, instrument])).values()]
    for (let from = 0; from < bySymbol.length; from += ROWS_PER_STATEMENT_MAX)
      await this.#database.query(name, sql, [
        JSON.stringify(bySymbol.slice(from, from + ROWS_PER_STATEMENT_MAX), storable),
        new Date(asOfMs),
      ])
  }

  /** By symbol, in one query. Unknown ones are left out. */
  async find(symbols: readonly string[]): Promise<Map<string, Instrument>> {
    const rows = await this.#database.query<Row>(
      'instruments_find',
      `SELECT ${COLUMNS} FROM instruments WHERE symbol = ANY($1::text[])`,
      [symbols],
    )
    return new Map(rows.map((row) => [row.symbol, instrumentOf(row)]))
  }

  /** In order of symbol. One that is listed meanwhile appears where its symbol belongs; none is given twice. */
  async page({ symbols, first, after }: InstrumentPage): Promise<{ items: Instrument[]; hasNext: boolean }> {
    checkPageSize(first)
    const rows = await this.#database.query<Row>(
      'instruments_page',
      `SELECT ${COLUMNS} FROM instruments
       WHERE ($1::text[] IS NULL OR symbol = ANY($1)) AND ($2::text IS NULL OR symbol > $2)
       ORDER BY symbol LIMIT $3`,
      [symbols ?? null, after ?? null, first + 1],
    )
    return { items: rows.slice(0, first).map(instrumentOf), hasNext: rows.length > first }
  }

  /**
   * The very symbol or CIK comes first, then what is called exactly so, then symbols that begin with the text, then names
   * and aliases in which every word of the text begins a word, then those that contain them elsewhere (JPMorgan for
   * "morgan"); of equals, the ones of our own list first. Upper and lower case are the same, as are brk-b, BRK/B and BRK.B,
   * and apostrophes and full stops may be left out. Reads the whole table, which is right for some ten thousand instruments.
   * @throws INVALID_ARGUMENT for a text over SEARCH_TEXT_MAX characters
   */
  async search(text: string, first: number): Promise<Instrument[]> {
    checkPageSize(first)
    if (text.length > SEARCH_TEXT_MAX)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `A search text has at most ${SEARCH_TEXT_MAX} characters, was ${text.length}`,
      )
    const words = spoken(text).slice(0, SEARCH_WORDS_MAX)
    if (words.length === 0) return []
    const symbol = text
      .normalize('NFC')
      .trim()
      .toUpperCase()
      .replace(/[-/\s]+/g, '.')
    const rows = await this.#database.query<Row>('instruments_search', SEARCH, [
      symbol,
      `${literal(symbol)}%`,
      cikOf(text),
      words.join(' '),
      words.map((word) => `% ${literal(word)}%`),
      words.map((word) => `%${literal(word)}%`),
      first,
    ])
    return rows.map(instrumentOf)
  }
}

/** Names from outside may hold anything; PostgreSQL's text takes neither NUL nor half a character. */
const storable = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? printable(value.toWellFormed()) : value

// What is told already, or is not as new as what is known, is left out before it is inserted: an upsert that changes
// nothing would still lock and write every row.
const TOLD = `
  WITH told AS (
    SELECT symbol, name, exchange, currency, "assetClass" AS asset_class, aliases, cik
    FROM json_to_recordset($1::json)
      AS t(symbol text, name text, exchange text, currency text, "assetClass" text, aliases text[], cik text)
  )`
const UPSERT = `
  INSERT INTO instruments AS i (${COLUMNS}, reviewed, described_at)
  SELECT ${COLUMNS}, reviewed, $2::timestamptz FROM fresh ORDER BY symbol
  ON CONFLICT (symbol) DO UPDATE
  SET name = excluded.name, exchange = excluded.exchange, currency = excluded.currency,
      asset_class = excluded.asset_class, aliases = excluded.aliases, cik = excluded.cik,
      reviewed = excluded.reviewed, described_at = excluded.described_at`
const CHANGED = `(m.name, m.exchange, m.currency, m.asset_class, m.aliases, m.cik, m.reviewed)
  IS DISTINCT FROM (k.name, k.exchange, k.currency, k.asset_class, k.aliases, k.cik, k.reviewed)`

const ADD = `${TOLD}, fresh AS (
    SELECT m.* FROM told t LEFT JOIN instruments k USING (symbol)
    CROSS JOIN LATERAL (
      SELECT t.symbol, t.name, coalesce(nullif(t.exchange, ''), k.exchange, '') AS exchange, t.currency,
             coalesce(nullif(t.asset_class, 'UNKNOWN'), k.asset_class, 'UNKNOWN') AS asset_class,
             CASE WHEN t.aliases = '{}' THEN coalesce(k.aliases, '{}') ELSE t.aliases END AS aliases,
             CASE WHEN k.described_at > $2 THEN coalesce(k.cik, t.cik) ELSE coalesce(t.cik, k.cik) END AS cik,
             true AS reviewed
    ) m
    WHERE k.symbol IS NULL OR ((k.described_at IS NULL OR k.described_at <= $2 OR NOT k.reviewed) AND ${CHANGED})
  )${UPSERT}
  WHERE i.described_at IS NULL OR i.described_at <= excluded.described_at OR NOT i.reviewed`

const REFRESH = `${TOLD}, fresh AS (
    SELECT m.* FROM told t LEFT JOIN instruments k USING (symbol)
    CROSS JOIN LATERAL (SELECT coalesce(k.reviewed, false) AS reviewed,
                               k.reviewed OR (k.asset_class <> 'UNKNOWN' AND t.asset_class = 'UNKNOWN') AS classed) known
    CROSS JOIN LATERAL (
      SELECT t.symbol, CASE WHEN known.reviewed THEN k.name ELSE t.name END AS name,
             CASE WHEN known.reviewed THEN coalesce(nullif(k.exchange, ''), t.exchange)
                  ELSE coalesce(nullif(t.exchange, ''), k.exchange, '') END AS exchange,
             CASE WHEN known.classed THEN k.currency ELSE t.currency END AS currency,
             CASE WHEN known.classed THEN k.asset_class ELSE t.asset_class END AS asset_class,
             CASE WHEN known.reviewed OR t.aliases = '{}' THEN coalesce(k.aliases, '{}') ELSE t.aliases END AS aliases,
             coalesce(t.cik, k.cik) AS cik, known.reviewed
    ) m
    WHERE k.symbol IS NULL OR ${CHANGED}
  )${UPSERT}`

/** The same letters as `spoken` makes of a text. */
const said = (column: string) => `lower(translate(${column}, '-/&''’.,', '   '))`

const SEARCH = `
  SELECT ${COLUMNS.split(', ').map((column) => `i.${column}`)}
  FROM instruments i
  CROSS JOIN LATERAL (
    SELECT translate(i.symbol, '-/', '..') AS symbol,
           ARRAY(SELECT ${said('written')} FROM unnest(i.name || i.aliases) written) AS names
  ) said
  WHERE said.symbol LIKE $2 OR i.cik = $3 OR EXISTS (SELECT FROM unnest(said.names) name WHERE name LIKE ALL ($6::text[]))
  ORDER BY CASE WHEN said.symbol = $1 OR i.cik = $3 THEN 0 WHEN $4 = ANY (said.names) THEN 1
                WHEN said.symbol LIKE $2 THEN 2
                WHEN EXISTS (SELECT FROM unnest(said.names) name WHERE ' ' || name LIKE ALL ($5::text[])) THEN 3
                ELSE 4 END, i.reviewed DESC, i.symbol
  LIMIT $7`

/** Lower case words without the marks that some write and some leave out. */
const spoken = (text: string): string[] =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[-/&]/g, ' ')
    .replace(/['’.,]/g, '')
    .split(/\s+/)
    .filter(Boolean)

/** Ten digits, as we keep it; null where the text is no CIK. */
const cikOf = (text: string): string | null =>
  /^\s*(?:CIK)?\s*(\d{4,10})\s*$/i.exec(text)?.[1].padStart(10, '0') ?? null

/** Somebody who types `50%` looks for a percent sign. */
const literal = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

const instrumentOf = (row: Row): Instrument => ({
  symbol: row.symbol,
  name: row.name,
  exchange: row.exchange,
  currency: row.currency,
  assetClass: row.asset_class,
  aliases: row.aliases,
  cik: row.cik,
})
