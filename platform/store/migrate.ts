import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import {
  checksumOf,
  editedAfterwards,
  inTransaction,
  type MigrationSession,
  scriptFailed,
} from './migration-session.ts'
import { storeError } from './store-error.ts'
import { applyTimescale, type TimescaleMode, type TimescaleState } from './timescale.ts'

export interface MigrateOptions {
  readonly log: Log
  /** Default: the project's own. The TimescaleDB step lies beside it, in `../timescale`. */
  readonly migrationsDir?: string
  /** `auto` uses TimescaleDB where the server has it loaded. Default. */
  readonly timescale?: TimescaleMode
}

export interface MigrateResult {
  /** Names of what this call applied; empty where the database was up to date. */
  readonly applied: readonly string[]
  readonly timescale: TimescaleState
  readonly timescaleApplied: readonly string[]
}

const MIGRATIONS_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))
/** The advisory lock of Prisma's own engine: `prisma migrate deploy` and we never run at once. */
const PRISMA_LOCK = 72_707_369
const LOCK_WAIT_MS = 60_000
const CONNECT_LIMIT_MS = 10_000

/** Column for column what Prisma's engine makes, so that either can go on where the other stopped. */
const LEDGER = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id                      VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum                VARCHAR(64) NOT NULL,
  finished_at             TIMESTAMPTZ,
  migration_name          VARCHAR(255) NOT NULL,
  logs                    TEXT,
  rolled_back_at          TIMESTAMPTZ,
  started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`

/**
 * Brings the database up to date with `prisma/migrations`, as `prisma migrate deploy` would, without its engine. Each
 * migration and its line in the ledger are one transaction: after a crash or a failure nothing of it is there, and the
 * next call tries again. Calling it twice, or from several processes at once, applies everything once.
 *
 * @throws STORE_UNAVAILABLE where the database cannot be reached, or another process migrates it for over a minute.
 * @throws STORE_INCOMPATIBLE where an applied migration was edited, is not known here, or one failed.
 */
export async function migrate(url: string, options: MigrateOptions): Promise<MigrateResult> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'investor-updates migrate',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  })
  client.on('error', (error) => options.log.warn({ err: error }, 'lost the connection while migrating'))
  try {
    await client.connect()
    await client.query(`SET lock_timeout = ${LOCK_WAIT_MS}`)
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK])
    await client.query('SET lock_timeout = 0')
    return await applyMigrations(
      { query: (sql, values) => client.query(sql, values), script: (sql) => client.query(sql) },
      options,
    )
  } catch (error) {
    if ((error as { code?: string }).code === '55P03')
      throw new PlatformError(
        'STORE_UNAVAILABLE',
        `Another process has been migrating the database for ${LOCK_WAIT_MS / 1000} s`,
        {
          cause: error,
        },
      )
    throw storeError('migrate the database', url, error)
  } finally {
    await client
      .end()
      .catch((error) => options.log.debug({ err: error }, 'the migration connection was already closed'))
  }
}

/** The same on a session that somebody else opened and holds alone. */
export async function applyMigrations(session: MigrationSession, options: MigrateOptions): Promise<MigrateResult> {
  const directory = options.migrationsDir ?? MIGRATIONS_DIR
  const migrations = readMigrations(directory)
  await session.query(LEDGER)
  const done = await readLedger(session)
  for (const name of done.keys())
    if (!migrations.some((migration) => migration.name === name))
      throw new PlatformError(
        'STORE_INCOMPATIBLE',
        `The database has had migration ${name}, which this version does not know: it was made by a newer one. Start that version`,
      )

  const applied: string[] = []
  for (const migration of migrations) {
    const checksum = done.get(migration.name)
    if (checksum === undefined) {
      await applyOne(session, migration)
      applied.push(migration.name)
      options.log.info({ migration: migration.name }, 'applied a migration')
    } else if (checksum !== migration.checksum) throw editedAfterwards(`Migration ${migration.name}`)
  }
  const timescaleDir = path.join(path.dirname(directory), 'timescale')
  return { applied, ...(await applyTimescale(session, options.timescale ?? 'auto', timescaleDir, options.log)) }
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

function readMigrations(directory: string): Migration[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, file: path.join(directory, name, 'migration.sql') }))
    .filter(({ file }) => existsSync(file))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, file }) => {
      const bytes = readFileSync(file)
      return { name, sql: bytes.toString('utf8'), checksum: checksumOf(bytes) }
    })
}

/** Name to checksum of what is applied. */
async function readLedger(session: MigrationSession): Promise<Map<string, string>> {
  const { rows } = await session.query<{ migration_name: string; checksum: string; finished: boolean; logs: string }>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, coalesce(logs, '') AS logs
     FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at`,
  )
  const failed = rows.find((row) => !row.finished)
  if (failed)
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `Migration ${failed.migration_name} was begun by Prisma and not finished. Look at what it left, then mark it with prisma migrate resolve. ${failed.logs}`.trim(),
    )
  return new Map(rows.map((row) => [row.migration_name, row.checksum]))
}

async function applyOne(session: MigrationSession, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await inTransaction(session, async () => {
      await session.script(sql)
      await session.query(
        `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
        [randomUUID(), checksum, name],
      )
    })
  } catch (error) {
    throw scriptFailed(`Migration ${name}`, error)
  }
}
