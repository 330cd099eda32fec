/** Of a client that has given no sign of life for too long while somebody waited for it. */
export class SilentClient extends Error {}

/**
 * Waits for clients that may lose what is waited for: kafkajs does, where an answer never comes while it disconnects. One
 * that works says something within a time that is known. What of it is a sign of life the one that waits must tell.
 */
export class SilenceWatch {
  readonly #silenceMs: number
  // Counted, not measured: a process that was suspended has heard nothing for a while, and that is no silence.
  #silentS = 0

  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs
  }

  heard(): void {
    this.#silentS = 0
  }

  /** One at a time. @throws SilentClient where it has not ended and the client was silent for too long */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.#silentS = 0
    const silent = Promise.withResolvers<never>()
    const timer = setInterval(() => {
      if (++this.#silentS * 1_000 > this.#silenceMs)
        silent.reject(new SilentClient(`the client has given no sign of life for ${this.#silenceMs} ms`))
    }, 1_000)
    try {
      return await Promise.race([work, silent.promise])
    } finally {
      clearInterval(timer)
    }
  }
}
