import { PlatformError } from '../../domain/errors.ts'
import type { AssetClass, Instrument } from '../../domain/instrument.ts'
import type { Database } from './database.ts'
import { checkPageSize } from './page-size.ts'

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
}

const COLUMNS = 'symbol, name, exchange, currency, asset_class'
const ROWS_PER_STATEMENT_MAX = 5_000
export const SEARCH_TEXT_MAX = 100
const SEARCH_WORDS_MAX = 8

/** What the platform knows to trade, by symbol. */
export class Instruments {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Adds new ones and describes known ones anew. Of several with one symbol the last counts. Repeating it changes nothing. */
  async add(instruments: readonly Instrument[]): Promise<void> {
    const bySymbol = [...new Map(instruments.map((instrument) => [instrument.symbol, instrument])).values()]
    for (let from = 0; from < bySymbol.length; from += ROWS_PER_STATEMENT_MAX) {
      const rows = bySymbol.slice(from, from + ROWS_PER_STATEMENT_MAX)
      await this.#database.query(
        'instruments_add',
        `INSERT INTO instruments (${COLUMNS})
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
         ON CONFLICT (symbol) DO UPDATE
         SET name = excluded.name, exchange = excluded.exchange, currency = excluded.currency,
             asset_class = excluded.asset_class`,
        [
          rows.map((row) => row.symbol),
          rows.map((row) => row.name),
          rows.map((row) => row.exchange),
          rows.map((row) => row.currency),
          rows.map((row) => row.assetClass),
        ],
      )
    }
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
   * Symbols that begin with the text come first (the very symbol before all), then names in which every word of the text
   * begins a word, then names that contain them elsewhere (JPMorgan for "morgan"). Upper and lower case are the same.
   * Reads the whole table, which is right for some ten thousand instruments.
   * @throws INVALID_ARGUMENT for a text over SEARCH_TEXT_MAX characters
   */
  async search(text: string, first: number): Promise<Instrument[]> {
    checkPageSize(first)
    if (text.length > SEARCH_TEXT_MAX)
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `A search text has at most ${SEARCH_TEXT_MAX} characters, was ${text.length}`,
      )
    const words = text.normalize('NFC').toLowerCase().split(/\s+/).filter(Boolean).slice(0, SEARCH_WORDS_MAX)
    if (words.length === 0) return []
    const symbol = words.join(' ').toUpperCase()
    const rows = await this.#database.query<Row>(
      'instruments_search',
      `SELECT ${COLUMNS} FROM instruments
       WHERE symbol LIKE $2 OR lower(name) LIKE ALL ($4::text[])
       ORDER BY CASE WHEN symbol = $1 THEN 0 WHEN symbol LIKE $2 THEN 1
                     WHEN ' ' || lower(name) LIKE ALL ($3::text[]) THEN 2 ELSE 3 END, symbol
       LIMIT $5`,
      [
        symbol,
        `${literal(symbol)}%`,
        words.map((word) => `% ${literal(word)}%`),
        words.map((word) => `%${literal(word)}%`),
        first,
      ],
    )
    return rows.map(instrumentOf)
  }
}

/** Somebody who types `50%` looks for a percent sign. */
const literal = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

const instrumentOf = (row: Row): Instrument => ({
  symbol: row.symbol,
  name: row.name,
  exchange: row.exchange,
  currency: row.currency,
  assetClass: row.asset_class,
})
