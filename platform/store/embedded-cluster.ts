import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import { isAlive } from './alive.ts'
import {
  assertReachable,
  findBinaries,
  type PostgresBinaries,
  type UnprivilegedUser,
  unprivilegedUser,
} from './embedded-binaries.ts'

export const SUPERUSER = 'investor'

/** One embedded PostgreSQL: `<dataDir>/postgres/{data,password,port}`. What else lies in `dataDir` is left alone. */
export interface Cluster {
  /** PostgreSQL's own folder. */
  readonly dir: string
  readonly portFile: string
  readonly password: string
  readonly binaries: PostgresBinaries
  /** Whom it runs as, where we are root. */
  readonly user: UnprivilegedUser | undefined
}

export interface ClusterOptions {
  readonly dataDir: string
  readonly durable: boolean
  readonly log: Log
}

/**
 * Opens the cluster, or makes it where there is none. It is made under another name and renamed when it is whole, so one
 * that was cut short is never taken for a good one, and of two that are made at once one wins.
 * @throws STORE_INCOMPATIBLE for another major version, or a cluster with parts missing.
 * @throws INVALID_CONFIG where files cannot be made or reached.
 */
export async function openCluster({ dataDir, durable, log }: ClusterOptions): Promise<Cluster> {
  const parent = makeFolder(dataDir)
  const home = path.join(parent, 'postgres')
  const binaries = findBinaries()
  const user = unprivilegedUser(home)
  if (user) {
    // The data folder itself may be for root alone. Passing through gives nothing away: it lets nobody list or read it.
    if ((statSync(parent).mode & 0o001) === 0) chmodSync(parent, (statSync(parent).mode & 0o777) | 0o011)
    assertReachable(parent, `the data folder ${parent}`, user)
    assertReachable(path.dirname(binaries.postgres), 'its own program', user)
  }
  if (!existsSync(home)) await make({ parent, home, binaries, user, durable, log })
  assertOwned(home)
  const dir = path.join(home, 'data')
  assertUsable(dir, binaries.major)
  return { dir, portFile: path.join(home, 'port'), password: readPassword(home), binaries, user }
}

function makeFolder(dataDir: string): string {
  const folder = path.resolve(dataDir)
  try {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  } catch (cause) {
    throw new PlatformError('INVALID_CONFIG', `Could not make the data folder ${folder}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

interface Making {
  parent: string
  home: string
  binaries: PostgresBinaries
  user: UnprivilegedUser | undefined
  durable: boolean
  log: Log
}

async function make({ parent, home, binaries, user, durable, log }: Making): Promise<void> {
  removeLeftOvers(parent, log)
  const partial = `${home}.partial-${process.pid}`
  const passwordFile = path.join(partial, 'password')
  const dir = path.join(partial, 'data')
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
    if (user) for (const file of [partial, passwordFile, dir]) chownSync(file, user.uid, user.gid)
    // Unicode upper and lower case, and order by code point, which never changes with the operating system.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const access = ['-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    const sync = durable ? [] : ['--no-sync']
    const args = ['-D', dir, ...access, ...locale, '--data-checksums', ...sync]
    await promisify(execFile)(binaries.initdb, args, { ...user, cwd: partial })
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true })
    const { stderr, message } = cause as Error & { stderr?: string }
    throw new PlatformError(
      'INVALID_CONFIG',
      `Could not make an embedded PostgreSQL in ${parent}: ${stderr?.trim() || message}`,
      { cause },
    )
  }
  try {
    renameSync(partial, home)
  } catch (cause) {
    rmSync(partial, { recursive: true })
    // Another process made one meanwhile; who may run it is settled by the server itself.
    if (!existsSync(home)) throw cause
  }
}

function removeLeftOvers(parent: string, log: Log): void {
  for (const name of readdirSync(parent)) {
    const maker = /^postgres\.partial-(\d+)$/.exec(name)
    if (!maker || isAlive(Number(maker[1]))) continue
    log.warn({ name }, 'making the embedded PostgreSQL was cut short last time, starting over')
    rmSync(path.join(parent, name), { recursive: true, maxRetries: 5 })
  }
}

function assertOwned(home: string): void {
  const uid = process.getuid?.()
  if (uid !== undefined && uid !== 0 && statSync(home).uid !== uid)
    throw new PlatformError(
      'INVALID_CONFIG',
      `${home} belongs to user ${statSync(home).uid}, and this process runs as user ${uid}. PostgreSQL only runs as the owner of its data`,
    )
}

function assertUsable(dir: string, major: string): void {
  const versionFile = path.join(dir, 'PG_VERSION')
  if (!existsSync(versionFile) || !existsSync(path.join(dir, 'global', 'pg_control')))
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `${dir} is not a whole PostgreSQL cluster: PG_VERSION or global/pg_control is missing. Restore it from a backup, or remove ${path.dirname(dir)} to begin with an empty database`,
    )
  const made = readFileSync(versionFile, 'utf8').trim()
  if (made !== major)
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `${dir} was made by PostgreSQL ${made}, and this is PostgreSQL ${major}, which cannot read it. Dump it with version ${made} and load it into a new one, or set DATA_DIR to another folder`,
    )
}

function readPassword(home: string): string {
  const file = path.join(home, 'password')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `The password of the embedded PostgreSQL cannot be read from ${file}: ${(cause as Error).message}`,
      { cause },
    )
  }
}
