import type { Database } from './database.ts'

/** How far each source was read. */
export class SourceCheckpoints {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The last one saved, as plain JSON; undefined where the source was never read. */
  async load(source: string): Promise<unknown | undefined> {
    const rows = await this.#database.query<{ checkpoint: unknown }>(
      'source_checkpoint_load',
      'SELECT checkpoint FROM source_checkpoint WHERE source = $1',
      [source],
    )
    return rows[0]?.checkpoint
  }

  /**
   * Replaces the one before. Once it has resolved it survives a crash, and with it all that was committed before it,
   * rows that did not wait for the disk included: the log is flushed in order. So it is synchronous by itself, whatever
   * the connection was last used for.
   */
  async save(source: string, checkpoint: unknown): Promise<void> {
    await this.#database.query(
      'source_checkpoint_save',
      `WITH durable AS MATERIALIZED (SELECT set_config('synchronous_commit', 'on', true))
       INSERT INTO source_checkpoint (source, checkpoint) SELECT $1, $2::jsonb FROM durable
       ON CONFLICT (source) DO UPDATE SET checkpoint = excluded.checkpoint, updated_at = now()`,
      [source, JSON.stringify(checkpoint)],
    )
  }
}
