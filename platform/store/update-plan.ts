import type { Database } from './database.ts'
import { jsonRows, msOf, timeOf } from './sql-values.ts'

export interface PlannedUpdate {
  readonly source: string
  readonly symbol: string
  readonly nextUpdateAtMs: number
}

/** When each polled source means to ask for each symbol next. */
export class UpdatePlan {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Replaces the source's plan: symbols left out are not planned any more. */
  async replace(source: string, nextUpdateAtMs: ReadonlyMap<string, number>): Promise<void> {
    await this.#database.query(
      'update_plan_replace',
      `WITH planned AS (
         SELECT symbol, ${timeOf('next_ms')} AS next FROM jsonb_to_recordset($2::jsonb) AS r(symbol text, next_ms float8)
       ), gone AS (
         DELETE FROM update_plan u
         WHERE u.source = $1 AND NOT EXISTS (SELECT FROM planned p WHERE p.symbol = u.symbol)
       )
       INSERT INTO update_plan AS u (source, symbol, next_update_at) SELECT $1, symbol, next FROM planned ORDER BY symbol
       ON CONFLICT (source, symbol) DO UPDATE SET next_update_at = excluded.next_update_at
       WHERE excluded.next_update_at <> u.next_update_at`,
      [source, jsonRows(Array.from(nextUpdateAtMs, ([symbol, next_ms]) => ({ symbol, next_ms })))],
    )
  }

  /** The next update of each symbol, from whichever source comes first. Symbols that nobody has planned are left out. */
  async find(symbols: readonly string[]): Promise<Map<string, PlannedUpdate>> {
    const rows = await this.#database.query<{ source: string; symbol: string; next_ms: number }>(
      'update_plan_find',
      `SELECT DISTINCT ON (symbol) source, symbol, ${msOf('next_update_at')} AS next_ms
       FROM update_plan WHERE symbol = ANY($1::text[]) ORDER BY symbol, next_update_at, source`,
      [symbols],
    )
    return new Map(rows.map(({ source, symbol, next_ms }) => [symbol, { source, symbol, nextUpdateAtMs: next_ms }]))
  }
}
