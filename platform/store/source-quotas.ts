import type { Database } from './database.ts'

/** What was spent of a vendor's budget, as its planner counts it. */
export interface StoredQuota {
  /** Times of the newest requests. */
  readonly recentMs: readonly number[]
  /** Requests of each day, by its start. */
  readonly days: Readonly<Record<string, number>>
  /** The vendor told us to stay away until then. */
  readonly pausedUntilMs: number
}

/** What was spent before a crash is still spent after it. */
export class SourceQuotas {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Undefined where nothing was ever spent. */
  async load(name: string): Promise<StoredQuota | undefined> {
    const rows = await this.#database.query<{ spent: StoredQuota }>(
      'source_quota_load',
      'SELECT spent FROM source_quota WHERE name = $1',
      [name],
    )
    return rows[0]?.spent
  }

  /** Once it has resolved it survives a crash of the database too. */
  async save(name: string, spent: StoredQuota): Promise<void> {
    await this.#database.query(
      'source_quota_save',
      `WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', 'on', true))
       INSERT INTO source_quota (name, spent) SELECT $1, $2::jsonb FROM durable
       ON CONFLICT (name) DO UPDATE SET spent = excluded.spent, updated_at = now()`,
      [name, JSON.stringify(spent)],
    )
  }
}
