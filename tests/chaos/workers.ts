import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { ProcessorName } from '../../processors/processors.ts'
import type { WorkerReport, WorkerSettings } from './worker.ts'

const RESTART_MS = 300
const STOP_MS = 8_000

interface Worker {
  readonly processor: ProcessorName
  readonly child: ChildProcess
  counters: Readonly<Record<string, number>>
}

/** Several processes of each processor. One that dies is replaced at once. */
export class Workers {
  readonly fatal: string[] = []
  readonly #settings: Omit<WorkerSettings, 'processor'>
  readonly #workers = new Set<Worker>()
  readonly #totals = new Map<string, number>()
  #stopping = false

  constructor(settings: Omit<WorkerSettings, 'processor'>) {
    this.#settings = settings
  }

  start(processor: ProcessorName): void {
    const child = fork(new URL('worker.ts', import.meta.url), [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, WORKER: JSON.stringify({ ...this.#settings, processor }) },
    })
    const worker: Worker = { processor, child, counters: {} }
    this.#workers.add(worker)
    child.on('message', ({ counters, fatal }: WorkerReport) => {
      if (counters) worker.counters = counters
      if (fatal) this.fatal.push(`${processor}: ${fatal}`)
    })
    child.on('exit', () => {
      this.#workers.delete(worker)
      for (const [name, value] of Object.entries(worker.counters))
        this.#totals.set(name, (this.#totals.get(name) ?? 0) + value)
      if (!this.#stopping) setTimeout(() => this.#stopping || this.start(processor), RESTART_MS)
    })
  }

  pick(chance: number): ChildProcess {
    const workers = [...this.#workers]
    return workers[Math.floor(chance * workers.length)].child
  }

  /** Over all workers that ever lived, as far as they told. */
  async stop(): Promise<Record<string, number>> {
    this.#stopping = true
    await Promise.all(
      [...this.#workers].map(async ({ child }) => {
        const gone = once(child, 'exit')
        child.kill('SIGCONT')
        child.kill('SIGTERM')
        const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
        await gone
        clearTimeout(limit)
      }),
    )
    return Object.fromEntries(this.#totals)
  }
}
