import type { Database } from './database.ts'
import { jsonRows } from './sql-values.ts'

export interface InterestCounts {
  readonly alertRules: number
  readonly watchers: number
}

interface Row {
  symbol: string
  alert_rules: number
  watchers: number
}

/** Of one holder, and read back, the symbols of most interest at most. */
export const INTEREST_SYMBOLS_MAX = 10_000

/**
 * Who would like a symbol to be fresh. Each process that speaks for clients holds its own counts, which lapse with it: a
 * process that was killed is forgotten when its counts expire.
 */
export class SymbolInterestStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Replaces what the holder said before, for so long from now; symbols left out are of no interest to it any more. No
   * symbols: the holder is forgotten. What has expired, of whomever, leaves the table.
   */
  async hold(holder: string, interest: ReadonlyMap<string, InterestCounts>, forMs: number): Promise<void> {
    const held = [...interest].slice(0, INTEREST_SYMBOLS_MAX)
    await this.#database.query(
      'symbol_interest_hold',
      `WITH held AS (
         SELECT * FROM jsonb_to_recordset($2::jsonb) AS r(symbol text, alert_rules int, watchers int)
       ), gone AS (
         DELETE FROM symbol_interest s
         WHERE s.expires_at <= now() OR (s.holder = $1 AND NOT EXISTS (SELECT FROM held h WHERE h.symbol = s.symbol))
       )
       INSERT INTO symbol_interest (symbol, holder, alert_rules, watchers, expires_at)
       SELECT symbol, $1, alert_rules, watchers, now() + $3::float8 * INTERVAL '1 millisecond' FROM held ORDER BY symbol
       ON CONFLICT (symbol, holder) DO UPDATE
       SET alert_rules = excluded.alert_rules, watchers = excluded.watchers, expires_at = excluded.expires_at`,
      [
        holder,
        jsonRows(held.map(([symbol, { alertRules, watchers }]) => ({ symbol, alert_rules: alertRules, watchers }))),
        forMs,
      ],
    )
  }

  /** The sums over all holders whose counts have not expired, the greatest interest first. */
  async current(): Promise<Map<string, InterestCounts>> {
    const rows = await this.#database.query<Row>(
      'symbol_interest_current',
      `SELECT symbol, sum(alert_rules)::float8 AS alert_rules, sum(watchers)::float8 AS watchers
       FROM symbol_interest WHERE expires_at > now() GROUP BY symbol
       ORDER BY sum(alert_rules) DESC, sum(watchers) DESC, symbol LIMIT $1`,
      [INTEREST_SYMBOLS_MAX],
    )
    return new Map(rows.map((row) => [row.symbol, { alertRules: row.alert_rules, watchers: row.watchers }]))
  }
}
