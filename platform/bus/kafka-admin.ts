import type { Admin } from 'kafkajs'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { endsWithin } from './ends-within.ts'

export interface KafkaAdminOptions {
  /** A new client, which is not connected yet. */
  readonly client: () => Admin
  /** What takes longer is given up, and the client with it. */
  readonly answerTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly log: Log
  readonly metrics: Metrics
}

interface ConnectedAdmin {
  readonly admin: Admin
  readonly connected: Promise<void>
}

/**
 * Questions about topics, offsets and the cluster, each of which ends. The client loses an answer now and then, where its
 * connection ends while others connect, and whoever waits for it waits for ever: a consumer that asks where to start, say.
 * So a client that owes an answer for too long is left for a new one.
 */
export class KafkaAdmin {
  readonly #options: KafkaAdminOptions
  #client: ConnectedAdmin | undefined
  #closed = false

  constructor(options: KafkaAdminOptions) {
    this.#options = options
  }

  /** @throws what the client threw, or that no answer came in time */
  async ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    if (this.#closed) throw new Error('it was closed')
    const { answerTimeoutMs } = this.#options
    const client = this.#connect()
    const answer = client.connected.then(() => question(client.admin))
    if (await endsWithin(answerTimeoutMs, answer)) return answer
    this.#leave(client)
    throw new Error(`no answer within ${answerTimeoutMs} ms`)
  }

  /** From now on nothing is asked any more. */
  async close(): Promise<void> {
    this.#closed = true
    const { closeTimeoutMs } = this.#options
    if (this.#client) await endsWithin(closeTimeoutMs, this.#client.admin.disconnect())
  }

  #connect(): ConnectedAdmin {
    if (this.#client) return this.#client
    const admin = this.#options.client()
    const client = { admin, connected: admin.connect() }
    this.#client = client
    client.connected.catch(() => {
      if (this.#client === client) this.#client = undefined
    })
    return client
  }

  #leave(client: ConnectedAdmin): void {
    if (this.#client !== client) return
    const { log, metrics } = this.#options
    this.#client = undefined
    metrics.busAdminRestarts.inc()
    log.warn('the client that asks Kafka about topics and offsets owed an answer, and is replaced')
    client.admin.disconnect().catch((error: unknown) => log.debug({ err: error }, 'the old client did not disconnect'))
  }
}
