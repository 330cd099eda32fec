import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { uptime } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import { isAlive } from './alive.ts'
import { type Cluster, SUPERUSER } from './embedded-cluster.ts'

/** A running postmaster: ours, or one that a killed process of ours left behind. */
export interface Server {
  readonly pid: number
  readonly port: number
  readonly adopted: boolean
}

export type Settings = Readonly<Record<string, string>>

/** After a crash PostgreSQL first replays its log: at most `max_wal_size`, so this is ample. */
const START_LIMIT_MS = 120_000
/** An alive process with the recorded id that answers to nothing for so long is no PostgreSQL. */
const ADOPTION_LIMIT_MS = 10_000
const STOP_LIMIT_MS = 15_000
const POLL_MS = 25
const START_ATTEMPTS_MAX = 10
const START_PAUSE_MS = 300
/** Somebody took the port between our looking and binding; or children of a killed postmaster have not gone yet. */
const PASSING_FAILURE = /could not bind|could not create any TCP|is still in use|lock file/
const STDERR_KEPT_MAX = 4_000
/** Of any system the least: macOS. */
const SOCKET_PATH_BYTES_MAX = 103
const PORT_MAX = 65_535

const pause = (ms = POLL_MS) => new Promise((resolve) => setTimeout(resolve, ms))

export const clusterUrl = (cluster: Cluster, port: number, database: string): string =>
  `postgresql://${SUPERUSER}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`

/** By the server's Unix socket where it has one, which costs both sides less than TCP; who knows no `host` here uses TCP. */
export const nearestUrl = (cluster: Cluster, port: number, database: string): string => {
  const hasSocket = existsSync(path.join(cluster.dir, socketName(port)))
  return `${clusterUrl(cluster, port, database)}${hasSocket ? `?host=${encodeURIComponent(cluster.dir)}` : ''}`
}

const socketName = (port: number) => `.s.PGSQL.${port}`

/**
 * Where PostgreSQL puts its Unix socket: its own folder, which nobody else may enter. Nowhere on Windows, nor where the path
 * is too long for one or would read as a list.
 */
function socketDirectories(dir: string): string {
  const fits = Buffer.byteLength(path.join(dir, socketName(PORT_MAX))) <= SOCKET_PATH_BYTES_MAX
  return process.platform !== 'win32' && fits && !/[",]/.test(dir) ? dir : ''
}

/**
 * Adopts the server that already runs on this cluster, else starts one. Resolves when it takes connections. A given port is
 * kept to, because others were told of it.
 */
export async function runServer(cluster: Cluster, settings: Settings, log: Log, port?: number): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      const running = await findRunning(cluster, log)
      return running ?? (await launch(cluster, port ?? (await pickPort(cluster)), settings, log))
    } catch (error) {
      if (attempt >= START_ATTEMPTS_MAX || !PASSING_FAILURE.test(String(error))) throw error
      await pause(START_PAUSE_MS)
    }
  }
}

/** What a server left in the folder says about itself, if it is alive. */
function recorded(cluster: Cluster, log: Log): { pid: number; port: number } | undefined {
  const file = path.join(cluster.dir, 'postmaster.pid')
  try {
    const [pid, , startedAtSeconds, port] = readFileSync(file, 'utf8').split('\n').map(Number)
    if (!isAlive(pid)) return undefined
    if (!isSomebodyElse(pid, startedAtSeconds * 1_000, cluster.dir)) return { pid, port }
    // PostgreSQL would take it for a running server and refuse to start.
    log.warn({ pid, file }, 'the process id on record now belongs to another program, the server is gone')
    rmSync(file, { force: true })
    return undefined
  } catch (error) {
    // It has stopped, perhaps just now.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const BOOT_TIME_SLACK_MS = 60_000

/** Process ids are given out again: after a reboot, or in a restarted container, the one on record may be anybody's. */
function isSomebodyElse(pid: number, startedAtMs: number, dir: string): boolean {
  if (startedAtMs < Date.now() - uptime() * 1_000 - BOOT_TIME_SLACK_MS) return true
  try {
    return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir)
  } catch {
    return false // No /proc on this system, or not for us: it has to answer for itself.
  }
}

async function findRunning(cluster: Cluster, log: Log): Promise<Server | undefined> {
  const found = recorded(cluster, log)
  if (!found) return undefined
  let untilMs = Date.now() + ADOPTION_LIMIT_MS
  while (isAlive(found.pid)) {
    const state = await probe(cluster, recorded(cluster, log)?.port ?? found.port)
    if (state === 'ready') return { ...found, adopted: true }
    // It says that it is recovering or shutting down: it is ours, and worth waiting for as long as for one we start.
    if (state === 'busy') untilMs = Math.max(untilMs, Date.now() + START_LIMIT_MS / 2)
    if (Date.now() > untilMs)
      throw new PlatformError(
        'STORE_UNAVAILABLE',
        `${path.join(cluster.dir, 'postmaster.pid')} names process ${found.pid}, which is alive and does not answer as this database on port ${found.port}. If it is no PostgreSQL, remove that file`,
      )
    await pause()
  }
  return undefined
}

type ServerState = 'ready' | 'busy' | 'away'

async function probe(cluster: Cluster, port: number): Promise<ServerState> {
  const client = new pg.Client({
    connectionString: clusterUrl(cluster, port, 'postgres'),
    connectionTimeoutMillis: 2_000,
  })
  client.on('error', () => {}) // A probe that breaks off is answered by the next one.
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
    return path.resolve(rows[0].data_directory) === cluster.dir ? 'ready' : 'away'
  } catch (error) {
    return (error as { code?: string }).code === '57P03' ? 'busy' : 'away'
  } finally {
    void client.end().catch(() => {})
  }
}

async function launch(cluster: Cluster, port: number, settings: Settings, log: Log): Promise<Server> {
  const args = ['-D', cluster.dir, '-p', String(port)]
  const all = { unix_socket_directories: socketDirectories(cluster.dir), ...settings }
  for (const [name, value] of Object.entries(all)) args.push('-c', `${name}=${value}`)
  // Detached: Ctrl-C in the terminal reaches us alone, and we stop PostgreSQL last, after those who use it.
  const child = spawn(cluster.binaries.postgres, args, {
    ...cluster.user,
    cwd: cluster.dir,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stderr = collectStderr(child, log)
  let failure: string | undefined
  child.once('error', (error) => {
    failure = error.message
  })
  child.once('exit', (code, signal) => {
    failure = `it ended with ${signal ?? code}`
  })
  child.unref()

  const untilMs = Date.now() + START_LIMIT_MS
  for (;;) {
    if (failure !== undefined)
      throw new PlatformError('STORE_UNAVAILABLE', `The embedded PostgreSQL did not start, ${failure}:\n${stderr()}`)
    if (child.pid !== undefined && (await probe(cluster, port)) === 'ready') {
      writeFileSync(cluster.portFile, String(port))
      // Whoever owns the rest may start it without us next time.
      if (cluster.user) chownSync(cluster.portFile, cluster.user.uid, cluster.user.gid)
      return { pid: child.pid, port, adopted: false }
    }
    if (Date.now() > untilMs)
      throw new PlatformError(
        'STORE_UNAVAILABLE',
        `The embedded PostgreSQL took no connections within ${START_LIMIT_MS / 1000} s:\n${stderr()}`,
      )
    await pause()
  }
}

function collectStderr(child: ChildProcess, log: Log): () => string {
  let kept = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    kept = (kept + chunk).slice(-STDERR_KEPT_MAX)
    log.debug({ postgres: String(chunk).trimEnd() }, 'embedded PostgreSQL')
  })
  // The server may outlive us, so neither it nor its pipe keeps our process from ending.
  const pipe = child.stderr
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  return () => kept.trim()
}

/** The port of last time where it is free, so that what an operator wrote down stays true. */
async function pickPort(cluster: Cluster): Promise<number> {
  const kept = existsSync(cluster.portFile) ? Number(readFileSync(cluster.portFile, 'utf8')) : 0
  return (kept > 0 && (await listenOn(kept))) || (await listenOn(0)) || 0
}

async function listenOn(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return (server.address() as AddressInfo).port
  } catch {
    return undefined // Taken.
  } finally {
    server.close()
  }
}

/** Fast shutdown: open transactions are rolled back. What does not end in time is ended hard; the log is replayed at the next start. */
export async function stopServer(cluster: Cluster, server: Server, log: Log): Promise<void> {
  if (process.platform === 'win32') {
    await promisify(execFile)(cluster.binaries.pgCtl, ['stop', '-w', '-m', 'fast', '-D', cluster.dir])
    return
  }
  signal(server.pid, 'SIGINT')
  const untilMs = Date.now() + STOP_LIMIT_MS
  while (isAlive(server.pid) && Date.now() < untilMs) await pause()
  if (!isAlive(server.pid)) return
  log.warn({ pid: server.pid }, 'the embedded PostgreSQL did not stop in time and is ended hard; nothing is lost')
  signal(server.pid, 'SIGQUIT')
  while (isAlive(server.pid) && Date.now() < untilMs + STOP_LIMIT_MS) await pause()
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
