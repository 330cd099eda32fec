import { createHash } from 'node:crypto'
import { Command } from 'ioredis'
import { PlatformError } from '../../domain/errors.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'

/** Messages handed to Redis and not yet acknowledged. Over it, publishing fails instead of filling our memory. */
const UNACKNOWLEDGED_BYTES_MAX = 64 * 1024 * 1024
/** Of one command. Redis does nothing else while it runs one. */
const BATCH_MESSAGES_MAX = 500
const BATCH_BYTES_MAX = 1_048_576

/** Pairs of a name and a message, in their order. */
const PUBLISH_ALL = `for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end`
const PUBLISH_ALL_SHA = createHash('sha1').update(PUBLISH_ALL).digest('hex')

interface Batch {
  readonly pairs: string[]
  bytes: number
  readonly sent: PromiseWithResolvers<void>
}

/**
 * The publishing connection. What is published in one turn of the event loop goes as one command: the client spends more on a
 * command than Redis does on a message (docs/decisions/0021-garbage-that-stays-young.md).
 */
export class RedisPublisher implements AsyncDisposable {
  readonly #connection: RedisConnection
  /** Still taken into. */
  #batch: Batch | undefined
  #unacknowledgedBytes = 0

  constructor(options: RedisConnectionOptions) {
    this.#connection = new RedisConnection('publisher', options, async () => {
      await this.#connection.redis.script('LOAD', PUBLISH_ALL)
    })
  }

  reach(): Promise<void> {
    return this.#connection.reach()
  }

  /** Resolves when Redis has it. @throws PUBSUB_UNAVAILABLE where it may not have got it */
  async publish(name: string, message: string): Promise<void> {
    const bytes = Buffer.byteLength(message)
    if (this.#unacknowledgedBytes + bytes > UNACKNOWLEDGED_BYTES_MAX)
      throw new PlatformError(
        'PUBSUB_UNAVAILABLE',
        `Redis is too slow: ${this.#unacknowledgedBytes} bytes wait to be acknowledged, at most ${UNACKNOWLEDGED_BYTES_MAX} may`,
      )
    this.#unacknowledgedBytes += bytes
    try {
      if (!this.#connection.live) await this.#connection.reach()
      await this.#add(name, message, bytes)
    } finally {
      this.#unacknowledgedBytes -= bytes
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What was handed over before goes before the goodbye; whether it arrived its publishers hear.
    await this.#batch?.sent.promise.catch(() => undefined)
    await this.#connection[Symbol.asyncDispose]()
  }

  #add(name: string, message: string, bytes: number): Promise<void> {
    const batch = this.#batch ?? this.#begin()
    batch.pairs.push(name, message)
    batch.bytes += bytes
    if (batch.pairs.length >= 2 * BATCH_MESSAGES_MAX || batch.bytes >= BATCH_BYTES_MAX) this.#batch = undefined
    return batch.sent.promise
  }

  #begin(): Batch {
    const batch: Batch = { pairs: [], bytes: 0, sent: Promise.withResolvers() }
    this.#batch = batch
    setImmediate(() => {
      if (this.#batch === batch) this.#batch = undefined
      this.#send(batch.pairs).then(batch.sent.resolve, batch.sent.reject)
    })
    return batch
  }

  async #send(pairs: readonly string[]): Promise<void> {
    const command = new Command('evalsha', [PUBLISH_ALL_SHA, '0', ...pairs])
    try {
      await this.#connection.redis.sendCommand(command)
    } catch (error) {
      // Somebody has emptied it of its scripts: whoever connects anew brings ours.
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) this.#connection.renew(error)
      else this.#connection.suspect(error)
      throw this.#connection.unavailable(error)
    } finally {
      // ioredis makes a command long-lived: the messages need not be so with it.
      command.args = []
    }
  }
}
