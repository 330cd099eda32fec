import type { ExecutionResult } from 'graphql'
import { ListenerQueue } from '../platform/pubsub/listener-queue.ts'

export interface BoundedStreamOptions {
  /** Results that may wait for the reader; beyond it the oldest go. */
  readonly limit: number
  readonly onDropped: () => void
  readonly onRead?: () => void
  /** Once, when the reader leaves, be it before the end or after. */
  readonly onLeave: () => void
}

/**
 * What one reader has still to read of a subscription. A slow reader loses its oldest results, never our memory, and is
 * told how many in the next result it gets: `extensions.stream.skipped`.
 */
export class BoundedStream implements AsyncGenerator<ExecutionResult, undefined, undefined> {
  readonly #queue: ListenerQueue<ExecutionResult>
  readonly #onDropped: () => void
  readonly #onRead: (() => void) | undefined
  #announced = 0

  constructor({ limit, onDropped, onRead, onLeave }: BoundedStreamOptions) {
    this.#queue = new ListenerQueue({ keep: 'all', limit })
    this.#queue.onReturn(async () => onLeave())
    this.#onDropped = onDropped
    this.#onRead = onRead
  }

  push(result: ExecutionResult): void {
    this.#queue.push(result, this.#onDropped)
  }

  /** No more will come. What waits can still be read. */
  end(): void {
    this.#queue.end()
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const read = await this.#queue.next()
    if (read.done) return read
    this.#onRead?.()
    const skipped = this.#queue.dropped - this.#announced
    if (skipped === 0) return read
    this.#announced += skipped
    // A result is shared by all readers, so the announcement goes on a copy.
    return { done: false, value: { ...read.value, extensions: { ...read.value.extensions, stream: { skipped } } } }
  }

  return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    return this.#queue.return()
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.#queue.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.return()
  }
}
