import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { PlatformError } from '../../domain/errors.ts'
import type { Log } from '../log.ts'
import {
  assertReachable,
  findBinaries,
  type PostgresBinaries,
  type UnprivilegedUser,
  unprivilegedUser,
} from './embedded-binaries.ts'

export const SUPERUSER = 'investor'

/**
 * The files of one embedded PostgreSQL: `<dataDir>/cluster` is PostgreSQL's own, `password` (only for its owner) and
 * `port` lie beside it.
 */
export interface Cluster {
  readonly dir: string
  readonly portFile: string
  readonly password: string
  readonly binaries: PostgresBinaries
  readonly user: UnprivilegedUser | undefined
}

export interface ClusterOptions {
  readonly dataDir: string
  readonly durable: boolean
  readonly log: Log
}

/**
 * Opens the cluster, or makes it where there is none. It is made under another name and renamed when it is whole, so one
 * that was cut short is never taken for a good one.
 * @throws STORE_INCOMPATIBLE for another major version, or a folder that holds something else.
 * @throws INVALID_CONFIG where files cannot be reached.
 */
export async function openCluster({ dataDir, durable, log }: ClusterOptions): Promise<Cluster> {
  const home = path.resolve(dataDir)
  const dir = path.join(home, 'cluster')
  const passwordFile = path.join(home, 'password')
  const binaries = findBinaries()
  const user = unprivilegedUser(dir)

  makeHome(home, user)
  if (user) {
    assertReachable(home, `the data folder ${home}`, user)
    assertReachable(path.dirname(binaries.postgres), 'its own program', user)
  }
  if (!existsSync(dir)) {
    assertOurs(home)
    await initialise({ home, dir, passwordFile, binaries, user, durable, log })
  }
  assertUsable(dir, binaries.major)
  return { dir, portFile: path.join(home, 'port'), password: readPassword(passwordFile), binaries, user }
}

function makeHome(home: string, user: UnprivilegedUser | undefined): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o755 })
    if (user) chownSync(home, user.uid, user.gid)
  } catch (cause) {
    throw new PlatformError('INVALID_CONFIG', `Could not make the data folder ${home}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Anything of somebody else's in the folder means that it was not meant for us. */
function assertOurs(home: string): void {
  const foreign = readdirSync(home).filter((name) => !['password', 'port', 'cluster.partial'].includes(name))
  if (foreign.length > 0)
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `${home} holds ${foreign.slice(0, 3).join(', ')} and no cluster of ours. Choose an empty folder for the embedded PostgreSQL`,
    )
}

interface Initialise {
  home: string
  dir: string
  passwordFile: string
  binaries: PostgresBinaries
  user: UnprivilegedUser | undefined
  durable: boolean
  log: Log
}

async function initialise({ home, dir, passwordFile, binaries, user, durable, log }: Initialise): Promise<void> {
  const partial = `${dir}.partial`
  if (existsSync(partial)) {
    log.warn({ dir: partial }, 'making the embedded PostgreSQL was cut short last time, starting over')
    rmSync(partial, { recursive: true })
  }
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  mkdirSync(partial, { mode: 0o700 })
  if (user) for (const file of [passwordFile, partial]) chownSync(file, user.uid, user.gid)
  const args = ['-D', partial, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  // Unicode upper and lower case, and order by code point, which never changes with the operating system.
  args.push(
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  )
  if (!durable) args.push('--no-sync')
  try {
    await promisify(execFile)(binaries.initdb, args, { ...user, cwd: home })
  } catch (cause) {
    const stderr = (cause as { stderr?: string }).stderr?.trim()
    throw new PlatformError(
      'INVALID_CONFIG',
      `Could not make an embedded PostgreSQL in ${home}: ${stderr || (cause as Error).message}`,
      { cause },
    )
  }
  renameSync(partial, dir)
}

function assertUsable(dir: string, major: string): void {
  const versionFile = path.join(dir, 'PG_VERSION')
  if (!existsSync(versionFile) || !existsSync(path.join(dir, 'global', 'pg_control')))
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `${dir} is not a whole PostgreSQL cluster: PG_VERSION or global/pg_control is missing. Restore it from a backup, or remove the folder to begin with an empty database`,
    )
  const made = readFileSync(versionFile, 'utf8').trim()
  if (made !== major)
    throw new PlatformError(
      'STORE_INCOMPATIBLE',
      `${dir} was made by PostgreSQL ${made}, and this is PostgreSQL ${major}, which cannot read it. Dump it with version ${made} and load it into a new folder, or point DATA_DIR elsewhere`,
    )
  const uid = process.getuid?.()
  if (uid !== undefined && uid !== 0 && statSync(dir).uid !== uid)
    throw new PlatformError(
      'INVALID_CONFIG',
      `${dir} belongs to user ${statSync(dir).uid}, and this process runs as user ${uid}. PostgreSQL only runs as the owner of its data`,
    )
}

function readPassword(file: string): string {
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
