import type { EventBus } from '../platform/bus/bus.ts'
import type { Clock } from '../platform/clock.ts'
import type { Patience } from './patience.ts'
import type { Source } from './source.ts'

export interface CheckpointStore {
  load(source: string): Promise<unknown | undefined>
  save(source: string, checkpoint: unknown): Promise<void>
}

export interface CheckpointSaverContext<C> {
  readonly source: Source<C>
  readonly bus: Pick<EventBus, 'settled'>
  readonly checkpoints: CheckpointStore
  readonly clock: Clock
  readonly patience: Patience
  readonly saveEveryMs: number
}

/**
 * Moves the saved checkpoint behind the facts, never ahead of them: a checkpoint is saved only after everything told
 * before it would survive a crash. It works beside the reading, so a slow store delays checkpoints, not ticks.
 */
export class CheckpointSaver<C> {
  readonly #context: CheckpointSaverContext<C>
  readonly #running: Promise<void>
  #latest: { readonly checkpoint: C } | undefined
  #saved: { readonly checkpoint: C } | undefined
  #urgent = false
  #closing = false
  #nap = new AbortController()

  /** `onFailure` hears of an error that will not pass; `close` throws it again. */
  constructor(context: CheckpointSaverContext<C>, onFailure: () => void) {
    this.#context = context
    this.#running = this.#run()
    this.#running.catch(onFailure)
  }

  /** Everything before the checkpoint was acknowledged. `urgent`: somebody waits for it to be saved. */
  taken(checkpoint: C, urgent: boolean): void {
    this.#latest = { checkpoint }
    if (!urgent) return
    this.#urgent = true
    this.#nap.abort()
  }

  /** Saves the last one. @throws what ended the saving, GaveUp among it. */
  async close(): Promise<void> {
    this.#closing = true
    this.#nap.abort()
    await this.#running
    await this.#saveLatest()
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      if (!this.#urgent) await this.#rest()
      this.#urgent = false
      await this.#saveLatest()
    }
  }

  #rest(): Promise<void> {
    this.#nap = new AbortController()
    return this.#context.clock.sleep(this.#context.saveEveryMs, this.#nap.signal)
  }

  async #saveLatest(): Promise<void> {
    const { source, bus, checkpoints, patience } = this.#context
    const latest = this.#latest
    if (latest === undefined || latest === this.#saved) return
    await patience.until('bus', 'see its ticks settled', () => bus.settled())
    await patience.until('store', 'save its checkpoint', () => checkpoints.save(source.name, latest.checkpoint))
    this.#saved = latest
    source.saved?.(latest.checkpoint)
  }
}
