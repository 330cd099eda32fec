import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../platform/log.ts'
import { applyMigrations, type MigrateOptions, migrate } from '../../platform/store/migrate.ts'
import type { MigrationSession } from '../../platform/store/migration-session.ts'
import { missingFromDatabase, missingFromSchema } from '../../scripts/schema-engine.ts'
import { type EmptyDatabase, emptyDatabase } from '../support/database.ts'
import { openTimescale } from '../support/timescale.ts'

const PRISMA = fileURLToPath(new URL('../../prisma', import.meta.url))
const SCHEMA = path.join(PRISMA, 'schema.prisma')
const SERIES = ['bars_1m', 'bars_5m', 'bars_1h', 'bars_1d']

let database: EmptyDatabase
let client: pg.Client
/** A copy of `prisma/` that a test may spoil. */
let copy: string

beforeEach(async () => {
  database = await emptyDatabase()
  client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {}) // The database is dropped under it at the end.
  await client.connect()
  copy = await mkdtemp(path.join(tmpdir(), 'investor-updates-prisma-'))
  await cp(PRISMA, copy, { recursive: true })
})
afterEach(async () => {
  await client.end()
  await database[Symbol.asyncDispose]()
  await rm(copy, { recursive: true })
})

const run = (options: Partial<MigrateOptions> = {}) =>
  migrate(database.url, { log: silentLog, timescale: 'off', ...options })
const runCopy = () => run({ migrationsDir: path.join(copy, 'migrations') })
const addMigration = async (name: string, sql: string) => {
  await mkdir(path.join(copy, 'migrations', name), { recursive: true })
  await writeFile(path.join(copy, 'migrations', name, 'migration.sql'), sql)
}

describe('Migrations', () => {
  test('the first call applies all of them, the second none', async () => {
    const { applied } = await run()
    expect(applied).toEqual([
      '20261123000000_init',
      '20261123000100_bar_views',
      '20261124000000_facts',
      '20261124000200_instrument_details',
    ])
    expect((await run()).applied).toEqual([])
  })

  test('several processes at once apply each of them once', async () => {
    const results = await Promise.all([run(), run(), run()])
    expect(results.flatMap(({ applied }) => applied)).toHaveLength(4)
  })

  test('one that was edited after it had been applied is refused', async () => {
    await runCopy()
    await addMigration('20261123000000_init', 'SELECT 1;')
    await expect(runCopy()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringContaining('20261123000000_init was edited after it had been applied'),
    })
  })

  test('one that fails leaves nothing behind, and can be mended', async () => {
    await addMigration('20990101000000_new', 'CREATE TABLE left_behind (); SELECT nonsense;')
    await expect(runCopy()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringMatching(/20990101000000_new could not be applied.*"nonsense"/),
    })
    expect((await client.query("SELECT to_regclass('left_behind') AS found")).rows).toEqual([{ found: null }])
    await addMigration('20990101000000_new', 'CREATE TABLE mended ();')
    expect((await runCopy()).applied).toEqual(['20990101000000_new'])
  })

  test('one that Prisma began and did not finish is refused until somebody has looked', async () => {
    await run()
    await client.query(
      "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'x', 'half_done', 'it broke')",
    )
    await expect(run()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringMatching(/half_done was begun by Prisma and not finished.*it broke/),
    })
    await client.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'")
    await expect(run()).resolves.toMatchObject({ applied: [] })
  })

  test('a database that a newer version has migrated is refused', async () => {
    await addMigration('20990101000000_new', 'SELECT 1;')
    await runCopy()
    await expect(run()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringContaining('20990101000000_new, which this version does not know'),
    })
  })

  test('a function with semicolons in its body is one statement', async () => {
    await addMigration(
      '20990101000000_function',
      "CREATE FUNCTION answer() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM ';'; RETURN 42; END; $$;",
    )
    await runCopy()
    expect((await client.query('SELECT answer()')).rows).toEqual([{ answer: 42 }])
  })

  test('a database that cannot be reached is STORE_UNAVAILABLE', async () => {
    await expect(migrate('postgresql://app:secret@127.0.0.1:9/prices', { log: silentLog })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('127.0.0.1:9/prices'),
    })
  })
})

describe('schema.prisma', () => {
  test('the migrations make what it says, no less', async () => {
    await run()
    expect(await missingFromDatabase(database.url, SCHEMA)).toBe('')
  })

  test('the migrations make what it says, no more', async () => {
    await run()
    expect(await missingFromSchema(database.url, SCHEMA)).toBe('')
  })

  test('a column only one side has is found', async () => {
    await run()
    await client.query('ALTER TABLE quotes ADD COLUMN bid double precision')
    expect(await missingFromDatabase(database.url, SCHEMA)).toContain('DROP COLUMN "bid"')
    expect(await missingFromSchema(database.url, SCHEMA)).toContain('ADD COLUMN     "bid"')
  })

  test('bars of every interval have the same columns of the same types', async () => {
    await run()
    const session: MigrationSession = {
      query: (sql, values) => client.query(sql, values),
      script: () => Promise.resolve(),
    }
    const [minutes, ...views] = await columnsOf(session)
    for (const view of views) expect(view).toEqual(minutes)
  })

  test('a range of a bar view is read through its index', async () => {
    await run()
    await client.query(`INSERT INTO bars_1m SELECT 'S' || s, to_timestamp(60 * n), 1, 1, 1, 1, 1, 1
      FROM generate_series(1, 20) s, generate_series(1, 2000) n`)
    await client.query('ANALYZE bars_1m')
    for (const view of SERIES.slice(1)) {
      const { rows } = await client.query(
        `EXPLAIN SELECT * FROM ${view} WHERE symbol = 'S1' AND time >= to_timestamp(0) AND time < to_timestamp(900) ORDER BY time LIMIT 10`,
      )
      expect(JSON.stringify(rows)).toContain(`${view.replace('bars_', 'bars_1m_bin_')}_idx`)
    }
  })
})

/** Name, type and order of the columns, of the series in their order; to Prisma a type is its name without typmod of views. */
async function columnsOf(session: MigrationSession): Promise<string[][]> {
  const { rows } = await session.query<{ table_name: string; columns: string[] }>(
    `SELECT c.table_name, array_agg(c.column_name || ' ' || c.udt_name ORDER BY c.ordinal_position) AS columns
     FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name = ANY($1) GROUP BY 1`,
    [SERIES],
  )
  return SERIES.map((name) => rows.find((row) => row.table_name === name)?.columns ?? [])
}

describe('TimescaleDB', () => {
  const apply = (session: MigrationSession, timescale: 'auto' | 'off') =>
    applyMigrations(session, { log: silentLog, timescale })
  const barsOf = async (session: MigrationSession) => {
    const series: Record<string, unknown[]> = {}
    for (const name of SERIES) series[name] = (await session.query(`SELECT * FROM ${name} ORDER BY symbol, time`)).rows
    return series
  }

  test('turned on over what is there, every bar of every interval stays the same, row for row', async () => {
    await using session = await openTimescale()
    await apply(session, 'off')
    await session.script(`
      INSERT INTO bars_1m
      SELECT 'S' || s, date_trunc('minute', now()) - i * INTERVAL '1 minute', 100 + s + i % 7, 110 + i % 11, 90 - i % 5,
             100 + i % 13, 1000 + i, 1 + i % 3
      FROM generate_series(1, 4) s, generate_series(0, 4400) i;
      INSERT INTO stock_data SELECT symbol, time, 1, 'tape', close, volume, time FROM bars_1m LIMIT 1000;`)
    const [plain, plainColumns] = [await barsOf(session), await columnsOf(session)]
    expect(plain.bars_1d.length).toBeGreaterThan(12)

    const result = await apply(session, 'auto')
    expect(result).toMatchObject({
      timescale: 'on',
      timescaleApplied: ['001_hypertables.sql', '002_backfill.sql', '003_policies.sql'],
    })
    expect(await barsOf(session)).toEqual(plain)
    expect(await columnsOf(session)).toEqual(plainColumns)
    expect((await session.query('SELECT count(*)::int AS ticks FROM stock_data')).rows).toEqual([{ ticks: 1000 }])
    const { rows } = await session.query(
      `SELECT hypertable_name AS name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public' ORDER BY 1`,
    )
    expect(rows).toEqual([{ name: 'bars_1m' }, { name: 'stock_data' }])
    expect(await apply(session, 'auto')).toMatchObject({ applied: [], timescaleApplied: [] })
  })

  test('a new minute shows in every interval at once', async () => {
    await using session = await openTimescale()
    await apply(session, 'auto')
    await session.script(`INSERT INTO bars_1m VALUES ('AAPL', date_trunc('minute', now()), 1, 4, 1, 2, 10, 3)`)
    for (const name of SERIES)
      expect((await session.query(`SELECT close, trades::int FROM ${name}`)).rows).toEqual([{ close: 2, trades: 3 }])
  })

  test('the same tick is still one row', async () => {
    await using session = await openTimescale()
    await apply(session, 'auto')
    for (let i = 0; i < 2; i++)
      await session.script(
        `INSERT INTO stock_data VALUES ('AAPL', '2013-10-07 14:00Z', 1, 'tape', 190, 1, now()) ON CONFLICT DO NOTHING`,
      )
    expect((await session.query('SELECT count(*)::int AS ticks FROM stock_data')).rows).toEqual([{ ticks: 1 }])
  })

  test('a script that was edited after it had been applied is refused', async () => {
    await using session = await openTimescale()
    const options = { log: silentLog, migrationsDir: path.join(copy, 'migrations') }
    await applyMigrations(session, options)
    await writeFile(path.join(copy, 'timescale', '003_policies.sql'), 'SELECT 1;')
    await expect(applyMigrations(session, options)).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringContaining('003_policies.sql was edited'),
    })
  })

  test('a server that must have it and has it not is refused', async () => {
    await expect(run({ timescale: 'require' })).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringContaining('shared_preload_libraries'),
    })
    await expect(run({ timescale: 'auto' })).resolves.toMatchObject({ timescale: 'absent' })
  })
})
