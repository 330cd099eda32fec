/** kafkajs' consumers and producers alike, whose events have names of their own. */
interface Client {
  readonly events: { readonly REQUEST: string; readonly REQUEST_TIMEOUT: string }
  on(event: never, heard: () => void): unknown
}

/** Of a client that has asked its broker for nothing for too long while somebody waited for it. */
export class SilentClient extends Error {}

/**
 * Waits for clients that may lose what is waited for: kafkajs does, where an answer never comes while it disconnects. One
 * that works says something within a time that is known: an answer, or that none came.
 */
export class SilenceWatch {
  readonly #silenceMs: number
  // Counted, not measured: a process that was suspended has heard nothing for a while, and that is no silence.
  #silentS = 0

  constructor(client: Client, silenceMs: number) {
    this.#silenceMs = silenceMs
    const heard = () => {
      this.#silentS = 0
    }
    client.on(client.events.REQUEST as never, heard)
    client.on(client.events.REQUEST_TIMEOUT as never, heard)
  }

  /** One at a time. @throws SilentClient where it has not ended and the client was silent for too long */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.#silentS = 0
    const silent = Promise.withResolvers<never>()
    const timer = setInterval(() => {
      if (++this.#silentS * 1_000 > this.#silenceMs)
        silent.reject(new SilentClient(`the client has asked for nothing for ${this.#silenceMs} ms`))
    }, 1_000)
    try {
      return await Promise.race([work, silent.promise])
    } finally {
      clearInterval(timer)
    }
  }
}
