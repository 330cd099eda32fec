import { PlatformError } from '../../domain/errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Channels, PubSub } from './pubsub.ts'

/** What a reader gets who is slower than the events. */
export type KeepPolicy<T> =
  /** Every event in order; when `limit` wait, the oldest gives way and is counted. */
  | { readonly keep: 'all'; readonly limit: number }
  /** The newest event per key, in the order the keys began to wait; more than `limit` keys (default 10,000): the oldest gives way. */
  | { readonly keep: 'latest'; readonly keyOf: (event: T) => unknown; readonly limit?: number }

export type ListenOptions<T> = KeepPolicy<T> & {
  /** What this reader wants of what is told under the key; the rest takes no room. Everything where it is not given. */
  readonly only?: (event: T, key: string) => boolean
  /** Where dropped events are counted by channel; without it only the reader itself knows. */
  readonly metrics?: Pick<Metrics, 'listenerDropped'>
}

const KEYS_WAITING_MAX = 10_000

/**
 * Listens to all of these and resolves when all are live; what arrives while the last of them is still being asked for
 * waits for the first read. Aborting the signal leaves, as `return()` does.
 * @throws PUBSUB_UNAVAILABLE, having left what was live already.
 */
export async function listen<C extends keyof Channels>(
  pubsub: PubSub,
  subscriptions: readonly { readonly channel: C; readonly key: string }[],
  options: ListenOptions<Channels[C]>,
  signal?: AbortSignal,
): Promise<ListenerQueue<Channels[C]>> {
  signal?.throwIfAborted()
  const queue = new ListenerQueue<Channels[C]>(options)
  const abort = () => void queue.return()
  signal?.addEventListener('abort', abort, { once: true })
  queue.onReturn(async () => signal?.removeEventListener('abort', abort))
  const joined = await Promise.allSettled(
    subscriptions.map(async ({ channel, key }) => {
      const dropped = (count: number) => options.metrics?.listenerDropped.inc({ channel }, count)
      const hear = (event: Channels[C]) => {
        if (options.only?.(event, key) ?? true) queue.push(event, dropped)
      }
      queue.onReturn(await pubsub.subscribe(channel, key, hear, () => queue.end()))
    }),
  )
  const failed = joined.find((outcome) => outcome.status === 'rejected')
  if (failed) {
    await queue.return()
    throw failed.reason
  }
  if (signal?.aborted) {
    await queue.return()
    throw signal.reason
  }
  return queue
}

interface Waiting<T> {
  readonly size: number
  /** How many events were given up for this one. */
  push(event: T): number
  take(): T | undefined
  clear(): void
}

/**
 * What one subscriber reads from. The buffer is its own, so a slow reader costs itself events and never us memory, and
 * nobody reads what was meant for another.
 */
export class ListenerQueue<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  readonly #waiting: Waiting<T>
  readonly #reads: ((result: IteratorResult<T, undefined>) => void)[] = []
  readonly #leave: (() => Promise<void>)[] = []
  #ended = false
  #returned: Promise<void> | undefined
  #dropped = 0

  constructor(policy: KeepPolicy<T>) {
    this.#waiting = policy.keep === 'all' ? new Fifo(policy.limit) : new LatestByKey(policy.keyOf, policy.limit)
  }

  /** Events this reader did not and will not get, over all its life: the ones over the limit, or overtaken by newer ones. */
  get dropped(): number {
    return this.#dropped
  }

  get waiting(): number {
    return this.#waiting.size
  }

  push(event: T, onDropped?: (count: number) => void): void {
    if (this.#ended) return
    const read = this.#reads.shift()
    if (read) {
      read({ value: event, done: false })
      return
    }
    const dropped = this.#waiting.push(event)
    if (dropped === 0) return
    this.#dropped += dropped
    onDropped?.(dropped)
  }

  /** No more will come. What waits can still be read, then the reader is at its end. */
  end(): void {
    this.#ended = true
    for (const read of this.#reads.splice(0)) read(END)
  }

  /** Runs when the reader leaves; at once where it has left already. */
  onReturn(leave: () => Promise<void>): void {
    if (this.#returned) this.#returned = Promise.all([this.#returned, leave()]).then(() => undefined)
    else this.#leave.push(leave)
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting.size > 0) return Promise.resolve({ value: this.#waiting.take() as T, done: false })
    if (this.#ended) return Promise.resolve(END)
    return new Promise((resolve) => this.#reads.push(resolve))
  }

  /** Leaves every channel and ends pending reads. What waited is gone. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.end()
    this.#waiting.clear()
    this.#returned ??= Promise.all(this.#leave.splice(0).map((leave) => leave())).then(() => undefined)
    await this.#returned
    return END
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true }

/** A ring: the oldest gives way in constant time, however many wait. */
class Fifo<T> implements Waiting<T> {
  readonly #limit: number
  #events: (T | undefined)[] = []
  #head = 0
  size = 0

  constructor(limit: number) {
    this.#limit = positive(limit)
  }

  push(event: T): number {
    if (this.size < this.#limit) {
      this.#events[(this.#head + this.size) % this.#limit] = event
      this.size++
      return 0
    }
    this.#events[this.#head] = event
    this.#head = (this.#head + 1) % this.#limit
    return 1
  }

  take(): T | undefined {
    const event = this.#events[this.#head]
    this.#events[this.#head] = undefined
    this.size--
    // Back to the front when empty, so that the ring grows only as far as events really waited.
    this.#head = this.size === 0 ? 0 : (this.#head + 1) % this.#limit
    return event
  }

  clear(): void {
    this.#events = []
    this.#head = 0
    this.size = 0
  }
}

/** At most one event per key. A key keeps its place in the line, so a busy one does not push the quiet ones back. */
class LatestByKey<T> implements Waiting<T> {
  readonly #keyOf: (event: T) => unknown
  readonly #limit: number
  readonly #latest = new Map<unknown, T>()

  constructor(keyOf: (event: T) => unknown, limit = KEYS_WAITING_MAX) {
    this.#keyOf = keyOf
    this.#limit = positive(limit)
  }

  get size(): number {
    return this.#latest.size
  }

  push(event: T): number {
    const key = this.#keyOf(event)
    const overtaken = this.#latest.has(key)
    this.#latest.set(key, event)
    if (overtaken) return 1
    if (this.#latest.size <= this.#limit) return 0
    this.take()
    return 1
  }

  take(): T | undefined {
    for (const [key, event] of this.#latest) {
      this.#latest.delete(key)
      return event
    }
    return undefined
  }

  clear(): void {
    this.#latest.clear()
  }
}

function positive(limit: number): number {
  if (!(Number.isSafeInteger(limit) && limit > 0))
    throw new PlatformError('INVALID_ARGUMENT', `A limit must be a whole number above 0, was ${limit}`)
  return limit
}
