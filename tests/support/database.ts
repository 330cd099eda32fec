import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { silentLog } from '../../platform/log.ts'
import { type Database, openDatabase } from '../../platform/store/database.ts'
import { migrate } from '../../platform/store/migrate.ts'

/** An empty database of its own name on the test server. Dropped, with whoever is still connected, when disposed. */
export interface EmptyDatabase extends AsyncDisposable {
  readonly url: string
}

export async function emptyDatabase(): Promise<EmptyDatabase> {
  const server = inject('postgresUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(server, `CREATE DATABASE "${name}"`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => onServer(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
  }
}

/** A migrated database that nobody else has. Dispose it when the suite is done: `await using database = await testDatabase()`. */
export async function testDatabase(options: { poolMax?: number } = {}): Promise<Database> {
  const empty = await emptyDatabase()
  await migrate(empty.url, { log: silentLog })
  const database = await openDatabase({ url: empty.url, log: silentLog, ...options })
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await empty[Symbol.asyncDispose]()
    },
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // The call below tells.
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
