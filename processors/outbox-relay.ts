import { isPlatformError } from '../domain/errors.ts'
import type { EventBus, OutgoingRecord } from '../platform/bus/bus.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Connection } from '../platform/store/connection.ts'
import type { Database } from '../platform/store/database.ts'
import { keepDeadLetter } from '../platform/store/dead-letters.ts'
import {
  becomeRelay,
  countOutbox,
  oldestInOutbox,
  removeFromOutbox,
  type WaitingEvent,
} from '../platform/store/outbox.ts'

export interface OutboxRelayDeps {
  readonly bus: Pick<EventBus, 'produce' | 'settled'>
  readonly database: Pick<Database, 'checkout'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly options?: Partial<OutboxRelayOptions>
}

export interface OutboxRelayOptions {
  /** Without a nudge it looks this often; and so often those who wait to take over try. */
  readonly pollMs: number
  readonly batchSizeMax: number
  readonly batchBytesMax: number
  readonly retryMsMax: number
  /** A relay that froze holds the lock: the database ends its session after this. */
  readonly frozenAfterMs: number
}

const DEFAULTS: OutboxRelayOptions = {
  pollMs: 500,
  batchSizeMax: 500,
  batchBytesMax: 4 * 1024 * 1024,
  retryMsMax: 5_000,
  frozenAfterMs: 30_000,
}
const RETRY_MS_MIN = 100
const COUNT_EVERY_MS = 5_000

/**
 * Carries events from the outbox to the bus: at least once, with `ce_id` to tell a second copy, and in order per key. One
 * relay works at a time, over all processes; when it dies another takes over. An event leaves the outbox only once the
 * bus has it for good.
 */
export class OutboxRelay implements AsyncDisposable {
  readonly #deps: OutboxRelayDeps
  readonly #options: OutboxRelayOptions
  readonly #stopping = new AbortController()
  #resting = new AbortController()
  #nudged = false
  readonly #running: Promise<void>
  #countedAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps
    this.#options = { ...DEFAULTS, ...deps.options }
    this.#running = this.#run()
  }

  /** Something was stored: look now. */
  nudge = (): void => {
    this.#nudged = true
    this.#resting.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.nudge()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps
    let retryMs = RETRY_MS_MIN
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#relayWhileLeading(() => {
          retryMs = RETRY_MS_MIN
        })
      } catch (error) {
        log.warn({ err: error }, 'events wait in the outbox')
        await clock.sleep(retryMs, this.#stopping.signal)
        retryMs = Math.min(2 * retryMs, this.#options.retryMsMax)
      }
    }
  }

  /** The lock belongs to the session: if the session goes, somebody else may lead, and we start over. */
  async #relayWhileLeading(succeeded: () => void): Promise<void> {
    const connection = await this.#deps.database.checkout()
    try {
      while (!this.#stopping.signal.aborted && !(await becomeRelay(connection, this.#options.frozenAfterMs)))
        await this.#rest()
      while (!this.#stopping.signal.aborted) {
        const carried = await this.#carry(connection)
        succeeded()
        if (carried === 0) await this.#rest()
      }
    } finally {
      // Closing the session gives the lock away.
      connection.release(true)
    }
  }

  /** Not at all where somebody nudged since we last looked. */
  async #rest(): Promise<void> {
    if (!this.#nudged) {
      this.#resting = new AbortController()
      await this.#deps.clock.sleep(this.#options.pollMs, this.#resting.signal)
    }
    this.#nudged = false
  }

  /** Answers how many events it moved. */
  async #carry(connection: Connection): Promise<number> {
    const events = await oldestInOutbox(connection, this.#options.batchSizeMax, this.#options.batchBytesMax)
    await this.#count(connection, events.length)
    if (events.length === 0) return 0
    for (const [topic, group] of Map.groupBy(events, (event) => event.topic)) {
      await this.#produce(connection, topic, group)
      if (!(await this.#settled(topic))) return 0
    }
    await removeFromOutbox(
      connection,
      events.map((event) => event.row),
    )
    for (const [topic, group] of Map.groupBy(events, (event) => event.topic))
      this.#deps.metrics.outboxRelayed.inc({ topic }, group.length)
    return events.length
  }

  /** False where we have to stop first: what is still in the outbox is told again. */
  #settled(topic: string): Promise<boolean> {
    const { signal } = this.#stopping
    const { promise: stopped, resolve } = Promise.withResolvers<boolean>()
    const stop = () => resolve(false)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    const settled = this.#deps.bus.settled(topic).then(() => true)
    return Promise.race([settled, stopped]).finally(() => signal.removeEventListener('abort', stop))
  }

  async #produce(connection: Connection, topic: string, events: readonly WaitingEvent[]): Promise<void> {
    try {
      await this.#deps.bus.produce(topic, events.map(recordOf))
    } catch (error) {
      if (!isPlatformError(error, 'MESSAGE_TOO_LARGE')) throw error
      if (events.length > 1) for (const event of events) await this.#produce(connection, topic, [event])
      else await this.#giveUp(connection, events[0], error.message)
    }
  }

  /** One event that the bus will never take must not hold back all that follow. */
  async #giveUp(connection: Connection, event: WaitingEvent, reason: string): Promise<void> {
    this.#deps.log.error({ topic: event.topic, event: event.id, reason }, 'an event is too large for the bus')
    this.#deps.metrics.processorDeadLetters.inc({ processor: 'outbox', code: 'MESSAGE_TOO_LARGE' })
    await keepDeadLetter(connection, 'outbox', event.topic, {
      partition: -1,
      offset: Number(event.row),
      code: 'MESSAGE_TOO_LARGE',
      reason,
      value: event.value,
    })
  }

  async #count(connection: Connection, seen: number): Promise<void> {
    const { clock, metrics } = this.#deps
    if (seen === 0) metrics.outboxWaiting.set(0)
    if (seen < this.#options.batchSizeMax) return
    if (clock.now() - this.#countedAtMs < COUNT_EVERY_MS) return
    this.#countedAtMs = clock.now()
    metrics.outboxWaiting.set(await countOutbox(connection))
  }
}

const recordOf = ({ id, key, value, headers }: WaitingEvent): OutgoingRecord => ({
  key,
  value,
  headers: { ce_id: id, ...headers },
})
