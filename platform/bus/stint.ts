/**
 * One consumer's turn at one partition, from being positioned until it may be somebody else's. Never revived: what is
 * still running for an ended stint sees `live` false and leaves the partition alone.
 */
export class Stint {
  readonly partition: number
  live = true
  /** The offset of the next record to deliver; undefined until the position is known. */
  next: number | undefined

  constructor(partition: number) {
    this.partition = partition
  }
}

/** Calls that still run, one per partition: a new stint waits for what an ended one of the same consumer has left. */
export class RunningCalls {
  /** By partition. No Map: one that is filled and emptied for every batch keeps what was in it alive (decision 21). */
  readonly #calls: (Promise<void> | undefined)[] = []

  /** Runs `call` after the one that runs for this partition. */
  run(partition: number, call: () => Promise<void>): Promise<void> {
    const before = this.#calls[partition]
    const running = before ? before.then(call) : call()
    const ended: Promise<void> = running.then(
      () => this.#end(partition, ended),
      () => this.#end(partition, ended),
    )
    this.#calls[partition] = ended
    return running
  }

  /** Resolves when all that run now have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#calls)
  }

  #end(partition: number, call: Promise<void>): void {
    if (this.#calls[partition] === call) this.#calls[partition] = undefined
  }
}
