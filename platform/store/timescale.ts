import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import {
  checksumOf,
  editedAfterwards,
  inTransaction,
  type MigrationSession,
  scriptFailed,
} from './migration-session.ts'

export type TimescaleMode = 'auto' | 'off' | 'require'
export type TimescaleState = 'absent' | 'off' | 'on'

interface TimescaleResult {
  readonly timescale: TimescaleState
  readonly timescaleApplied: readonly string[]
}

/** First line of a script whose statements commit by themselves. */
const NO_TRANSACTION = '-- migrate:no-transaction'

/** Its own schema: to Prisma, a table in `public` that the schema does not have is drift. */
const LEDGER = `CREATE SCHEMA IF NOT EXISTS app_meta;
CREATE TABLE IF NOT EXISTS app_meta.timescale_migrations (
  name text PRIMARY KEY,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`

/**
 * Turns the plain tables into hypertables and the bar views into continuous aggregates of the same names and columns,
 * where the server has TimescaleDB loaded. Each script runs once. The first one locks the tables while it moves what they
 * hold, so processors should not run meanwhile; turning it on is one way.
 */
export async function applyTimescale(
  session: MigrationSession,
  mode: TimescaleMode,
  directory: string,
  log: Log,
): Promise<TimescaleResult> {
  if (mode === 'off') return { timescale: 'off', timescaleApplied: [] }
  if (!(await isLoaded(session))) {
    if (mode === 'require')
      throw new PlatformError(
        'STORE_INCOMPATIBLE',
        'TimescaleDB is required, but this server has it not installed or not in shared_preload_libraries',
      )
    return { timescale: 'absent', timescaleApplied: [] }
  }
  await session.query('CREATE EXTENSION IF NOT EXISTS timescaledb')
  await session.script(LEDGER)
  const { rows } = await session.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM app_meta.timescale_migrations',
  )
  const done = new Map(rows.map((row) => [row.name, row.checksum]))
  const applied: string[] = []
  for (const { name, sql } of readScripts(directory)) {
    const checksum = done.get(name)
    if (checksum === undefined) {
      await applyScript(session, name, sql)
      applied.push(name)
      log.info({ script: name }, 'applied a TimescaleDB script')
    } else if (checksum !== checksumOf(sql)) throw editedAfterwards(`TimescaleDB script ${name}`)
  }
  return { timescale: 'on', timescaleApplied: applied }
}

/** Installed is not enough: unless it is preloaded as well, or created already, CREATE EXTENSION ends the connection. */
async function isLoaded(session: MigrationSession): Promise<boolean> {
  const { rows } = await session.query<{ loaded: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
         OR (EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
             AND coalesce(current_setting('shared_preload_libraries', true), '') LIKE '%timescaledb%') AS loaded`,
  )
  return rows[0].loaded
}

function readScripts(directory: string): { name: string; sql: string }[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name, sql: readFileSync(path.join(directory, name), 'utf8') }))
}

async function applyScript(session: MigrationSession, name: string, sql: string): Promise<void> {
  const note = () =>
    session.query('INSERT INTO app_meta.timescale_migrations (name, checksum) VALUES ($1, $2)', [name, checksumOf(sql)])
  try {
    if (!sql.startsWith(NO_TRANSACTION))
      return await inTransaction(session, async () => {
        await session.script(sql)
        await note()
      })
    // Refreshing may be repeated, so a crash between the statements and the note does no harm.
    for (const statement of statementsOf(sql)) await session.query(statement)
    await note()
  } catch (error) {
    throw scriptFailed(`TimescaleDB script ${name}`, error)
  }
}

/** Statements that end their line with a semicolon, without comments: all that our no-transaction scripts hold. */
const statementsOf = (sql: string): string[] =>
  sql
    .replace(/^--.*$/gm, '')
    .split(/;[ \t]*(?:\r?\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
