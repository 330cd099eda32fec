import { setImmediate } from 'node:timers/promises'
import { type DocumentNode, type ExecutionResult, type GraphQLError, print } from 'graphql'
import { PlatformError } from '../domain/errors.ts'
import { publicError } from '../platform/graphql/public-error.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { BoundedStream } from './bounded-stream.ts'

export interface SubscriptionRequest {
  readonly document: DocumentNode
  readonly operationName?: string | null
  readonly variableValues?: unknown
}

export type Started = AsyncIterable<ExecutionResult> | ExecutionResult
/** Runs the operation for nobody in particular: it must not see any one client's context. */
export type StartSubscription = () => Started | Promise<Started>

export interface SharedSubscriptionsOptions {
  readonly subscriptionsMax: number
  readonly resultsWaitingMax: number
  readonly metrics: Metrics
  readonly log: Log
}

interface Shared {
  readonly key: string
  readonly readers: Set<BoundedStream>
  /** The answer to all of its readers where there was no stream to start. */
  opening: Promise<ExecutionResult | undefined>
  source: AsyncIterator<ExecutionResult> | undefined
}

/** Results told in one turn of the event loop. */
const RESULTS_PER_TURN_MAX = 256

/**
 * Runs identical subscriptions once for all of their readers. Identical is: same document, operation, variables and
 * audience. Each reader has a bounded buffer of its own; one that leaves, fails or is slow disturbs no other. The source
 * ends with its last reader.
 */
export class SharedSubscriptions {
  readonly #options: SharedSubscriptionsOptions
  readonly #running = new Map<string, Shared>()
  #readers = 0

  constructor(options: SharedSubscriptionsOptions) {
    this.#options = options
  }

  get size(): { sources: number; readers: number } {
    return { sources: this.#running.size, readers: this.#readers }
  }

  async join(request: SubscriptionRequest, audience: string, start: StartSubscription): Promise<Started> {
    const { subscriptionsMax, metrics } = this.#options
    if (this.#readers >= subscriptionsMax) {
      metrics.gatewayRefused.inc({ limit: 'subscriptions' })
      const refusal = `This gateway runs at most ${subscriptionsMax} subscriptions at once; try again later`
      return this.#failed(new PlatformError('LIMIT_EXCEEDED', refusal))
    }
    const key = keyOf(request, audience)
    const shared = this.#running.get(key) ?? this.#open(key, start)
    const reader = this.#reader(shared)
    const refusal = await shared.opening
    if (refusal === undefined) return reader
    await reader.return()
    return refusal
  }

  /** Every subscription completes, and its source ends. */
  async end(): Promise<void> {
    const all = [...this.#running.values()]
    for (const shared of all) for (const reader of [...shared.readers]) this.#finish(shared, reader)
    await Promise.allSettled(all.map((shared) => shared.source?.return?.()))
  }

  #reader(shared: Shared): BoundedStream {
    const { resultsWaitingMax, metrics } = this.#options
    const reader = new BoundedStream({
      limit: resultsWaitingMax,
      onDropped: () => metrics.gatewaySkipped.inc(),
      onRead: () => metrics.gatewayDelivered.inc(),
      onLeave: () => this.#leave(shared, reader),
    })
    shared.readers.add(reader)
    this.#readers++
    this.#measure()
    return reader
  }

  #open(key: string, start: StartSubscription): Shared {
    const shared: Shared = { key, readers: new Set(), opening: Promise.resolve(undefined), source: undefined }
    this.#running.set(key, shared)
    shared.opening = this.#start(shared, start)
    return shared
  }

  async #start(shared: Shared, start: StartSubscription): Promise<ExecutionResult | undefined> {
    try {
      const started = await start()
      if (!isStream(started)) {
        this.#forget(shared)
        return this.#presentable(started)
      }
      shared.source = started[Symbol.asyncIterator]()
      // Everybody may have left while it started.
      if (shared.readers.size === 0) await shared.source.return?.()
      else void this.#pump(shared, shared.source)
      return undefined
    } catch (error) {
      this.#forget(shared)
      return this.#failed(error)
    }
  }

  /** One result at a time: a source that is ahead of us waits in its own bounded queue. Never rejects. */
  async #pump(shared: Shared, source: AsyncIterator<ExecutionResult>): Promise<void> {
    // A burst must not fill the buffer of a reader who was never given a turn to read.
    const resultsPerTurn = Math.max(1, Math.min(RESULTS_PER_TURN_MAX, this.#options.resultsWaitingMax >> 1))
    try {
      let told = 0
      for (let read = await source.next(); !read.done; read = await source.next()) {
        const result = this.#presentable(read.value)
        for (const reader of shared.readers) reader.push(result)
        if (++told % resultsPerTurn === 0) await setImmediate()
      }
    } catch (error) {
      const result = this.#failed(error)
      for (const reader of shared.readers) reader.push(result)
    }
    for (const reader of [...shared.readers]) this.#finish(shared, reader)
  }

  #finish(shared: Shared, reader: BoundedStream): void {
    reader.end()
    this.#remove(shared, reader)
    this.#forget(shared)
  }

  #leave(shared: Shared, reader: BoundedStream): void {
    if (!this.#remove(shared, reader) || shared.readers.size > 0) return
    this.#forget(shared)
    shared.source?.return?.().catch((error: unknown) => this.#options.log.warn({ err: error }, 'a source ended badly'))
  }

  #remove(shared: Shared, reader: BoundedStream): boolean {
    if (!shared.readers.delete(reader)) return false
    this.#readers--
    this.#measure()
    return true
  }

  #forget(shared: Shared): void {
    if (this.#running.get(shared.key) === shared) this.#running.delete(shared.key)
    this.#measure()
  }

  #measure(): void {
    this.#options.metrics.gatewaySubscriptions.set(this.#readers)
    this.#options.metrics.gatewaySharedSources.set(this.#running.size)
  }

  #presentable(result: ExecutionResult): ExecutionResult {
    if (!result.errors) return result
    // The Rust planner keeps one list of errors per subscription and adds to it with every event. Emptying it leaves each
    // event its own errors; otherwise one failure would be told again with every event after it.
    const errors = (result.errors as GraphQLError[]).splice(0)
    const { errors: _, ...rest } = result
    return errors.length === 0
      ? rest
      : { ...rest, errors: errors.map((error) => publicError(error, this.#options.log)) }
  }

  #failed(error: unknown): ExecutionResult {
    return { errors: [publicError(error, this.#options.log)] }
  }
}

const isStream = (started: Started): started is AsyncIterable<ExecutionResult> => Symbol.asyncIterator in started

const printed = new WeakMap<DocumentNode, string>()

function keyOf({ document, operationName, variableValues }: SubscriptionRequest, audience: string): string {
  let text = printed.get(document)
  if (text === undefined) {
    text = print(document)
    printed.set(document, text)
  }
  return JSON.stringify([audience, operationName ?? null, variableValues ?? null, text], sortedKeys)
}

/** Variables are the same whatever order the client wrote them in. */
const sortedKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
