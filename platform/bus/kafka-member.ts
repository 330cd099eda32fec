import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { backOffMs } from './back-off.ts'
import { endsWithin } from './ends-within.ts'
import { busError, isRefusal, type KafkaConnection } from './kafka-client.ts'
import { SilenceWatch } from './kafka-silence.ts'

export interface KafkaMemberOptions {
  readonly group: string
  readonly topic: string
  /** A new client, which must not restart by itself: see `KafkaMember`. */
  readonly client: () => Consumer
  readonly partitionsAtOnceMax: number
  readonly connection: KafkaConnection
  /** A client that says nothing to its broker for longer, or reads and has no answer from its group, is replaced. */
  readonly silenceMs: number
  readonly closeTimeoutMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Each time it joined, with what it was given of the topic; never after `close`. */
  readonly onAssigned: (partitions: readonly number[]) => void
  readonly onRevoked: () => void
  readonly eachBatch: (payload: EachBatchPayload) => Promise<void>
}

/** Not to be tried again, as kafkajs asks of errors. */
const LEFT = Object.assign(new Error('this client was left for another one'), { retriable: false })

/**
 * A place in a consumer group that is kept whatever befalls the client: where one has ended or is silent, a new one takes
 * its place. The client's own restart is not used: it gives up where it finds no coordinator for its group, which passes,
 * and it never ends where an answer never comes while it disconnects. Nor is it trusted to be in the group while it reads.
 */
export class KafkaMember {
  readonly #options: KafkaMemberOptions
  readonly #closing = new AbortController()
  #client: Consumer | undefined
  #joins = 0

  constructor(options: KafkaMemberOptions) {
    this.#options = options
  }

  /**
   * Keeps the place until `close`.
   * @throws where another client would not get it either: INVALID_CONFIG, and what else the broker refuses for good
   */
  async hold(): Promise<void> {
    const { group, topic, connection, clock, log, metrics } = this.#options
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      const joinsBefore = this.#joins
      const reason = await this.#live(this.#options.client())
      if (this.#closing.signal.aborted) return
      const failure = busError(reason, connection, `let ${group} read ${topic}`)
      if (!failure.retryable || isRefusal(reason)) throw failure
      if (this.#joins > joinsBefore) attempt = 1
      if (this.#joins > 0) {
        metrics.busConsumerRestarts.inc({ group })
        log.warn({ group, topic, attempt, reason: failure.message }, 'the consumer joins its group again')
      }
      // Just after a topic was made, or a broker started, it may be unknown for a moment.
      else log.debug({ group, topic, attempt, reason: failure.message }, 'the consumer tries again to join its group')
      await clock.sleep(backOffMs(attempt), this.#closing.signal)
    }
  }

  pause(partitions: readonly number[]): void {
    this.#client?.pause([{ topic: this.#options.topic, partitions: [...partitions] }])
  }

  resume(partitions: readonly number[]): void {
    this.#client?.resume([{ topic: this.#options.topic, partitions: [...partitions] }])
  }

  seek(partition: number, offset: number): void {
    this.#client?.seek({ topic: this.#options.topic, partition, offset: String(offset) })
  }

  async commit(offsets: readonly (readonly [partition: number, offset: number])[]): Promise<void> {
    const { topic } = this.#options
    const commits = offsets.map(([partition, offset]) => ({ topic, partition, offset: String(offset) }))
    await this.#client?.commitOffsets(commits)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const client = this.#client
    if (client) await this.#part(client)
  }

  /** One client, from its connection to its end. Resolves with why it ended. */
  async #live(client: Consumer): Promise<unknown> {
    const { silenceMs } = this.#options
    this.#client = client
    const ended = Promise.withResolvers<unknown>()
    const closed = () => ended.resolve(undefined)
    this.#closing.signal.addEventListener('abort', closed)
    const watch = new SilenceWatch(silenceMs)
    this.#listen(client, watch, ended.resolve)
    this.#join(client).catch(ended.resolve)
    const reason = await watch.during(ended.promise).catch((silent: unknown) => silent)
    this.#closing.signal.removeEventListener('abort', closed)
    this.#revoke(client)
    if (!this.#closing.signal.aborted) {
      this.#client = undefined
      void this.#part(client)
    }
    return reason
  }

  async #join(client: Consumer): Promise<void> {
    const { topic, partitionsAtOnceMax, eachBatch } = this.#options
    await client.connect()
    await client.subscribe({ topic, fromBeginning: true })
    if (client !== this.#client) return
    await client.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsAtOnceMax,
      eachBatch: async (payload) => {
        if (client === this.#client) await eachBatch(payload)
      },
    })
  }

  #listen(client: Consumer, watch: SilenceWatch, end: (reason: unknown) => void): void {
    const { CRASH, FETCH_START, GROUP_JOIN, HEARTBEAT, REBALANCING, REQUEST, REQUEST_TIMEOUT, STOP } = client.events
    let joined = false
    client.on(GROUP_JOIN, ({ payload }) => {
      // One that was left may still get in, and would hold partitions that nobody reads. It has forgotten by then what it
      // could be stopped by; an error at this place ends it.
      if (client !== this.#client || this.#closing.signal.aborted) throw LEFT
      joined = true
      watch.heard()
      this.#joins++
      this.#options.onAssigned(payload.memberAssignment[this.#options.topic] ?? [])
    })
    client.on(HEARTBEAT, () => watch.heard())
    // Where it was told that the group does not know it, and it cannot join again for a reason that passes, it forgets who
    // it was, reads on and sends no heartbeat any more.
    for (const asked of [REQUEST, REQUEST_TIMEOUT])
      client.on(asked, () => {
        if (!joined) watch.heard()
      })
    client.on(REBALANCING, () => {
      joined = false
      this.#revoke(client)
    })
    // And where the group rebalances it goes on as if it had joined again. If the group still knows it, say because its
    // coordinator was only loading, no assignment follows for as long as it lives.
    client.on(FETCH_START, () => {
      if (!joined) end(new Error('it read on without having joined its group again'))
    })
    // Before it tells that it crashed; from here on it takes no seek.
    client.on(STOP, () => this.#revoke(client))
    client.on(CRASH, ({ payload }) => end(payload.error))
  }

  #revoke(client: Consumer): void {
    if (client === this.#client) this.#options.onRevoked()
  }

  async #part(client: Consumer): Promise<void> {
    const { group, log, closeTimeoutMs } = this.#options
    const left = client
      .disconnect()
      .catch((error: unknown) => log.debug({ err: error, group }, 'the consumer did not leave in good order'))
    await endsWithin(closeTimeoutMs, left)
  }
}
