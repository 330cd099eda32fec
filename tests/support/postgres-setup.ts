import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { silentLog } from '../../platform/log.ts'
import { startEmbeddedPostgres } from '../../platform/store/embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server to make databases on; each suite makes its own. */
    postgresUrl: string
  }
}

/** One PostgreSQL for a run of the tests: the one DATABASE_URL names, else an embedded one that lives as long as the run. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.DATABASE_URL
  if (given) {
    project.provide('postgresUrl', given)
    return undefined
  }
  const dataDir = await mkdtemp(path.join(tmpdir(), 'investor-updates-test-'))
  const postgres = await startEmbeddedPostgres({
    dataDir,
    log: silentLog,
    durable: false,
    settings: { max_connections: '200' },
  })
  project.provide('postgresUrl', postgres.url)
  // A run that is broken off tears nothing down.
  const endHard = () => process.kill(postgres.pid, 'SIGQUIT')
  process.once('exit', endHard)
  return async () => {
    process.off('exit', endHard)
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
