import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `main.ts` in a process of its own, as a user runs it. */
export interface PlatformProcess extends AsyncDisposable {
  /** `http://…/graphql` */
  readonly url: string
  /** `http://…`, for /live, /ready and /metrics. */
  readonly origin: string
  readonly dataDir: string
  readonly child: ChildProcess
  /** Everything it wrote so far. */
  stdout(): string
  stderr(): string
  /** Resolves when /ready answers 200; rejects with what it wrote when it ends before. */
  ready(): Promise<void>
  exited: Promise<number | null>
}

/** Folders of embedded databases: reachable for the unprivileged user PostgreSQL runs as. */
export async function temporaryDataDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'investor-updates-'))
  const { chmod } = await import('node:fs/promises')
  await chmod(dir, 0o755)
  return join(dir, 'data')
}

/** As `npm start` has them. */
function nodeFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const flags = /&& node (.+) main\.ts$/.exec(scripts.start)?.[1]
  if (flags === undefined) throw new Error(`npm start does not end with node and its flags: ${scripts.start}`)
  return flags.split(' ')
}

/**
 * `ownSession`: as if started from another terminal. Linux shares processor time between sessions first, so a benchmark that
 * starts it within its own would have it share one part with its clients. The terminal's Ctrl-C reaches it through us.
 */
export async function startPlatform(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  dataDir?: string,
  { ownSession = false } = {},
): Promise<PlatformProcess> {
  const ownDir = dataDir === undefined ? await temporaryDataDir() : undefined
  const dir = dataDir ?? ownDir ?? ''
  const port = Number(environment.PORT ?? (await freePort()))
  const child = spawn(process.execPath, [...nodeFlags(), 'main.ts', ...args], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownSession,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dir, PORT: String(port), ...environment },
  })
  if (ownSession) {
    const interrupted = () => {
      child.kill('SIGTERM')
      process.exit(130)
    }
    process.once('SIGINT', interrupted)
    child.once('exit', () => process.off('SIGINT', interrupted))
  }
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk))
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const origin = `http://127.0.0.1:${port}`
  const told = () => `standard output:\n${written.stdout}\nstandard error:\n${written.stderr}`

  return {
    url: `${origin}/graphql`,
    origin,
    dataDir: dir,
    child,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    exited,
    async ready() {
      // Not by the clock on the wall: that of a machine that was suspended jumps.
      const untilMs = performance.now() + 60_000
      for (;;) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`main.ts ended; ${told()}`)
        const answer = await fetch(`${origin}/ready`).catch(() => undefined)
        if (answer?.ok) return
        if (performance.now() > untilMs) throw new Error(`not ready within 60 s; ${told()}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const timer = setTimeout(() => child.kill('SIGKILL'), 25_000)
        await exited
        clearTimeout(timer)
      }
      if (ownDir) await rm(join(ownDir, '..'), { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The value of one series, labels as they are written; 0 where it is not there. */
export async function metric(platform: PlatformProcess, series: string): Promise<number> {
  const text = await fetch(`${platform.origin}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  )
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? 0 : Number(line.slice(series.length + 1))
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
