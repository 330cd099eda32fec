import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface PostgresOwner {
  readonly child: ChildProcess
  readonly url: string
  /** Of the postmaster. */
  readonly pid: number
}

const program = fileURLToPath(new URL('postgres-owner.ts', import.meta.url))

/** A process of its own that owns the embedded PostgreSQL in the folder, so that both can be killed. */
export async function postgresOwner(dataDir: string): Promise<PostgresOwner> {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The owner ended with ${code}: ${stderr}`))),
  ])
  return { child, ...(JSON.parse(String(line)) as { url: string; pid: number }) }
}
