import { isPlatformError } from '../domain/errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Interest, SymbolInterest } from './quota/quota.ts'

const READ_EVERY_MS = 15_000

/**
 * Who watches what, as the subgraphs and rules write it into the store: at most fifteen seconds old, and while the store is
 * away the last that was known.
 */
export class StoredInterest implements SymbolInterest, AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #current: ReadonlyMap<string, Interest> = new Map()

  constructor(read: () => Promise<ReadonlyMap<string, Interest>>, clock: Clock, log: Log) {
    this.#running = this.#run(read, clock, log)
  }

  current(): ReadonlyMap<string, Interest> {
    return this.#current
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(read: () => Promise<ReadonlyMap<string, Interest>>, clock: Clock, log: Log): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#current = await read()
      } catch (error) {
        if (!isPlatformError(error)) throw error
        log.debug({ err: error }, 'Cannot read who watches what; what was known goes on')
      }
      await clock.sleep(READ_EVERY_MS, this.#stop.signal)
    }
  }
}
