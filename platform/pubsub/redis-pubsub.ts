import { PlatformError } from '../../domain/errors.ts'
import type { Metrics } from '../metrics.ts'
import { decodeEvent, encodeEvent } from './event-codec.ts'
import { type Backend, closedError, Hub } from './hub.ts'
import type { Channels, PubSub } from './pubsub.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { RedisPublisher } from './redis-publisher.ts'

/** How long a new listener waits for a Redis that is away. */
const SUBSCRIBE_WAIT_MS = 3_000
/** Channels per SUBSCRIBE when all are subscribed again. */
const RESUBSCRIBE_BATCH_MAX = 1_000

export interface RedisPubSubOptions extends RedisConnectionOptions {
  /** Goes before every channel name. No default: two platforms on one Redis must not hear each other by accident. */
  readonly prefix: string
}

/**
 * Between processes, over Redis pub/sub. Connects in the background and comes back by itself; events published meanwhile
 * are lost, for the publisher (who is told) and for every listener.
 */
export class RedisPubSub implements PubSub {
  readonly #hub: Hub
  readonly #prefix: string
  readonly #metrics: Metrics
  readonly #publisher: RedisPublisher
  readonly #subscriber: RedisSubscriber
  readonly subscribe: PubSub['subscribe']

  constructor(options: RedisPubSubOptions) {
    if (options.prefix === '')
      throw new PlatformError('INVALID_CONFIG', 'A pubsub on Redis needs a channel prefix, was empty')
    this.#prefix = `${options.prefix}:`
    this.#metrics = options.metrics
    this.#publisher = new RedisPublisher(options)
    this.#subscriber = new RedisSubscriber(options, this.#prefix, (room, message) => this.#heard(room, message))
    this.#hub = new Hub(this.#subscriber, options)
    this.subscribe = this.#hub.subscribe
  }

  async publish<C extends keyof Channels>(channel: C, key: string, event: Channels[C]): Promise<void> {
    const message = encodeEvent(channel, event)
    try {
      if (this.#hub.closed) throw closedError()
      await this.#publisher.publish(this.#prefix + Hub.room(channel, key), message)
      this.#metrics.pubsubPublished.inc({ channel })
    } catch (error) {
      this.#metrics.pubsubPublishFailures.inc({ channel })
      throw error
    }
  }

  async ping(): Promise<void> {
    if (this.#hub.closed) throw closedError()
    await Promise.all([this.#publisher.reach(), this.#subscriber.reach()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hub.close()
    await Promise.all([this.#publisher[Symbol.asyncDispose](), this.#subscriber[Symbol.asyncDispose]()])
  }

  #heard(room: string, message: string): void {
    const channel = this.#hub.channelOf(room)
    if (!channel) return
    let event: Channels[typeof channel]
    try {
      event = decodeEvent(channel, message)
    } catch (error) {
      this.#hub.malformed(channel, error)
      return
    }
    this.#hub.deliver(room, event)
  }
}

/** The listening connection. What it should hear is written down here, so after every reconnect all of it is asked for. */
class RedisSubscriber implements Backend, AsyncDisposable {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #wanted = new Set<string>()

  constructor(options: RedisConnectionOptions, prefix: string, heard: (room: string, message: string) => void) {
    this.#prefix = prefix
    this.#connection = new RedisConnection('subscriber', options, () => this.#subscribeAll())
    this.#connection.redis.on('message', (name, message) => heard(name.slice(prefix.length), message))
  }

  reach(): Promise<void> {
    return this.#connection.reach()
  }

  async join(room: string): Promise<void> {
    this.#wanted.add(room)
    try {
      await this.#connection.reachWithin(SUBSCRIBE_WAIT_MS)
      if (await this.#subscribe(room)) return
      // It broke just now. The connection is live again when everything wanted is subscribed, this room too.
      await this.#connection.reachWithin(SUBSCRIBE_WAIT_MS)
    } catch (error) {
      await this.leave(room)
      throw error
    }
  }

  async leave(room: string): Promise<void> {
    this.#wanted.delete(room)
    if (this.#connection.redis.status !== 'ready') return
    // A connection that breaks now has left, too.
    await this.#connection.redis.unsubscribe(this.#prefix + room).catch((error) => this.#connection.suspect(error))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  /** False where the connection broke meanwhile. @throws PUBSUB_UNAVAILABLE where Redis refuses. */
  async #subscribe(room: string): Promise<boolean> {
    try {
      await this.#connection.redis.subscribe(this.#prefix + room)
      return true
    } catch (error) {
      this.#connection.suspect(error)
      if (this.#connection.live) throw this.#connection.unavailable(error)
      return false
    }
  }

  async #subscribeAll(): Promise<void> {
    const done = new Set<string>()
    for (;;) {
      // Read anew each time: listeners come and go while Redis answers.
      const batch = [...this.#wanted].filter((room) => !done.has(room)).slice(0, RESUBSCRIBE_BATCH_MAX)
      if (batch.length === 0) return
      await this.#connection.redis.subscribe(...batch.map((room) => this.#prefix + room))
      for (const room of batch) done.add(room)
    }
  }
}
