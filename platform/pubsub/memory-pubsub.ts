import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { closedError, Hub } from './hub.ts'
import type { Channels, PubSub } from './pubsub.ts'

const NOTHING_TO_DO = { join: () => Promise.resolve(), leave: () => Promise.resolve() }

/** For one process: publishers and listeners share it. An event is handed on as it is, and told before `publish` returns. */
export class MemoryPubSub implements PubSub {
  readonly #hub: Hub
  readonly #metrics: Metrics
  readonly subscribe: PubSub['subscribe']

  constructor(options: { metrics: Metrics; log: Log }) {
    this.#hub = new Hub(NOTHING_TO_DO, options)
    this.#metrics = options.metrics
    this.subscribe = this.#hub.subscribe
  }

  async publish<C extends keyof Channels>(channel: C, key: string, event: Channels[C]): Promise<void> {
    if (this.#hub.closed) {
      this.#metrics.pubsubPublishFailures.inc({ channel })
      throw closedError()
    }
    this.#hub.deliver(Hub.room(channel, key), event)
    this.#metrics.pubsubPublished.inc({ channel })
  }

  async ping(): Promise<void> {
    if (this.#hub.closed) throw closedError()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hub.close()
  }
}
