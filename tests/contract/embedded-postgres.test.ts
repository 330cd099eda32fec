import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, uptime } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../platform/log.ts'
import { isAlive } from '../../platform/store/alive.ts'
import { openDatabase } from '../../platform/store/database.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'
import { type PostgresOwner, postgresOwner } from '../support/postgres-owner-process.ts'

let dataDir: string
const open: EmbeddedPostgres[] = []
const owners: ChildProcess[] = []

const start = async (dir = dataDir) => {
  const postgres = await startEmbeddedPostgres({ dataDir: dir, log: silentLog })
  open.push(postgres)
  return postgres
}

beforeEach(async () => {
  dataDir = path.join(await mkdtemp(path.join(tmpdir(), 'investor-updates-embedded-')), 'data')
  await chmod(path.dirname(dataDir), 0o755)
})
afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL')
  for (const postgres of open.splice(0)) await postgres.stop()
  await rm(path.dirname(dataDir), { recursive: true, force: true })
})

async function onServer<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {}) // The call tells.
  try {
    await client.connect()
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

async function ownerProcess(): Promise<PostgresOwner> {
  const owner = await postgresOwner(dataDir)
  owners.push(owner.child)
  return owner
}

describe('Embedded PostgreSQL', () => {
  test('the first start makes a database that only the one with the password can enter', async () => {
    const { url, adopted } = await start()
    expect(adopted).toBe(false)
    const [{ version }] = await onServer<{ version: string }>(
      url,
      "SELECT current_setting('server_version') AS version",
    )
    expect(version).toMatch(/^18\./)
    const wrong = new URL(url)
    wrong.password = 'guess'
    await expect(onServer(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    expect((await stat(path.join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600)
  })

  test("it listens on loopback, and by a Unix socket in a folder that is nobody else's to enter", async () => {
    const { url } = await start()
    const rows = await onServer(
      url,
      "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories') ORDER BY name",
    )
    const folder = await realpath(path.join(dataDir, 'postgres', 'data'))
    expect(rows).toEqual([
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'unix_socket_directories', setting: process.platform === 'win32' ? '' : folder },
    ])
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  test('its address is the Unix socket where there are, for who knows no such thing TCP', async () => {
    const { url } = await start()
    const peer = 'SELECT inet_server_addr() AS address'
    expect(await onServer(url, peer)).toEqual([{ address: process.platform === 'win32' ? '127.0.0.1' : null }])
    const withoutHost = new URL(url)
    withoutHost.searchParams.delete('host')
    expect(await onServer(withoutHost.href, peer)).toEqual([{ address: '127.0.0.1' }])
  })

  test.each([
    ['is too long for a socket', 'long'.repeat(30)],
    ['has a comma in it', 'a,b'],
  ])('where the path of its folder %s it is reached by TCP', async (_why, name) => {
    dataDir = path.join(dataDir, name)
    await mkdir(dataDir, { recursive: true })
    const { url } = await start()
    expect(await onServer(url, 'SELECT inet_server_addr() AS address')).toEqual([{ address: '127.0.0.1' }])
  })

  test('after a stop it starts again with its data, at the same address', async () => {
    const first = await start()
    await onServer(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
    await first.stop()
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)
    const second = await start()
    expect(second.url).toBe(first.url)
    expect(await onServer(second.url, 'SELECT * FROM kept')).toEqual([{ one: 1 }])
  })

  test('when its port has been taken meanwhile it takes another', async () => {
    const first = await start()
    await first.stop()
    const squatter = createServer()
    await once(squatter.listen(first.port, '127.0.0.1'), 'listening')
    try {
      const second = await start()
      expect(second.port).not.toBe(first.port)
      expect(await onServer(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    } finally {
      squatter.close()
    }
  })

  test('a server that is killed comes back at the same address, with all that was committed', async () => {
    const postgres = await start()
    await using database = await openDatabase({ url: postgres.url, log: silentLog })
    await database.pool.query('CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n')
    const killed = postgres.pid
    process.kill(killed, 'SIGKILL')
    await expect.poll(() => isAlive(killed)).toBe(false)
    await expect
      .poll(
        () =>
          database.ping().then(
            () => 'back',
            () => 'away',
          ),
        { timeout: 30_000 },
      )
      .toBe('back')
    expect(await database.query('test_kept', 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 1000 }])
    await expect.poll(() => postgres.pid).not.toBe(killed)
  })

  test('a killed process leaves the server running, and the next one adopts it', async () => {
    const { child, url, pid } = await ownerProcess()
    await onServer(url, 'CREATE TABLE kept AS SELECT 1 AS one')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const adopter = await start()
    expect(adopter).toMatchObject({ adopted: true, url, pid })
    expect(await onServer(adopter.url, 'SELECT * FROM kept')).toEqual([{ one: 1 }])
    await adopter.stop()
    expect(isAlive(pid)).toBe(false)
  })

  test('when process and server are killed together, the next start recovers', async () => {
    const { child, url, pid } = await ownerProcess()
    await onServer(url, 'CREATE TABLE kept AS SELECT 1 AS one')
    child.kill('SIGKILL')
    process.kill(pid, 'SIGKILL')
    await once(child, 'exit')
    const { url: again, adopted } = await start()
    expect(adopted).toBe(false)
    expect(await onServer(again, 'SELECT * FROM kept')).toEqual([{ one: 1 }])
  })

  test('a process id on record that now belongs to another program does not keep it from starting', async () => {
    const first = await start()
    const record = path.join(dataDir, 'postgres', 'data', 'postmaster.pid')
    const lines = (await readFile(record, 'utf8')).split('\n')
    await first.stop()
    const beforeBoot = String(Math.floor(Date.now() / 1_000 - uptime()) - 3_600)
    await writeFile(record, [process.pid, lines[1], beforeBoot, ...lines.slice(3)].join('\n'))
    const second = await start()
    expect(second.adopted).toBe(false)
    expect(await onServer(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a second live process on the same folder is refused, and the first goes on', async () => {
    const first = await start()
    await expect(start()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('Another running process'),
    })
    expect(await onServer(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('data of another major version is refused with a sentence, and left alone', async () => {
    await (await start()).stop()
    const version = path.join(dataDir, 'postgres', 'data', 'PG_VERSION')
    await writeFile(version, '17\n')
    await expect(start()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringMatching(/made by PostgreSQL 17, and this is PostgreSQL 18/),
    })
    expect(await readFile(version, 'utf8')).toBe('17\n')
  })

  test('a first start that was cut short is begun anew', async () => {
    const killed = await ownerProcess()
    killed.child.kill('SIGKILL')
    process.kill(killed.pid, 'SIGKILL')
    await once(killed.child, 'exit')
    const partial = path.join(dataDir, `postgres.partial-${killed.child.pid}`)
    await rename(path.join(dataDir, 'postgres'), partial)
    expect(await onServer((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await expect(stat(partial)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('of two first starts at once one wins and the other is refused', async () => {
    const results = await Promise.allSettled([ownerProcess(), start()])
    const started = results.filter(({ status }) => status === 'fulfilled')
    expect(started).toHaveLength(1)
  })

  test('a cluster with parts missing is refused with a sentence', async () => {
    await (await start()).stop()
    await rm(path.join(dataDir, 'postgres', 'data', 'global'), { recursive: true })
    await expect(start()).rejects.toMatchObject({
      code: 'STORE_INCOMPATIBLE',
      message: expect.stringContaining('not a whole PostgreSQL cluster'),
    })
  })

  test('what else lies in the folder is left alone', async () => {
    await mkdir(dataDir)
    await writeFile(path.join(dataDir, 'holiday.jpg'), 'sea')
    const { uid } = await stat(dataDir)
    await start()
    expect(await readFile(path.join(dataDir, 'holiday.jpg'), 'utf8')).toBe('sea')
    expect((await stat(dataDir)).uid).toBe(uid)
  })

  test.runIf(process.getuid?.() === 0)(
    'as root, a folder on the way that PostgreSQL may not enter is named',
    async () => {
      await chmod(path.dirname(dataDir), 0o700)
      await expect(start()).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
        message: expect.stringContaining(path.dirname(dataDir)),
      })
    },
  )
})
