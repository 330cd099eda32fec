import { isPlatformError } from '../../domain/errors.ts'
import type { VendorName } from '../../domain/vendors.ts'
import type { SourceContext } from '../catalogue.ts'
import { rejectOf } from '../reject-position.ts'
import type { Source, SourceBatch } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import type { Feed, FeedAnswer, FeedCursor } from './feed.ts'
import { choose } from './feed-choice.ts'

/** Symbols that one source asks for; those of least interest beyond it are left out, and counted. */
export const SYMBOLS_MAX = 500
/** However far away the next turn is: interest changes, and so do the symbols. */
const LOOK_AGAIN_MS = 15_000
/** After a failure that may pass. Doubled each time, and then tried for ever. */
const BACK_OFF_MS_MIN = 1_000
const BACK_OFF_MS_MAX = 300_000

export interface PolledSourceOptions {
  readonly name: VendorName
  /** What there is to ask for, the same for the same symbols. Called again when the symbols of interest have changed. */
  readonly feedsOf: (symbols: readonly string[]) => readonly Feed[]
  readonly context: Pick<
    SourceContext,
    'settings' | 'interest' | 'clock' | 'log' | 'metrics' | 'tellPlan' | 'tellTrouble'
  >
}

/** Where each feed goes on, by its name. */
export interface PolledCheckpoint {
  readonly feeds: Readonly<Record<string, FeedProgress>>
}

interface FeedProgress {
  readonly askedMs: number
  readonly cursor?: FeedCursor
}

/**
 * Asks a vendor's feeds one at a time, each when it is due and the most wanted first. The vendor's limits are kept below
 * it, by whoever sends the requests: told to wait, it waits. What fails is tried again later and for ever; only a key that
 * the vendor has refused ends the source.
 */
export function polledSource(options: PolledSourceOptions): Source<PolledCheckpoint> {
  return {
    name: options.name,
    read: (from, signal) => new Polling(options, from).run(signal),
  }
}

class Polling {
  readonly #options: PolledSourceOptions
  readonly #progress: Map<string, FeedProgress>
  /** Feeds that the vendor does not know or does not give us: not asked until the next start. */
  readonly #aside = new Set<string>()
  readonly #failures = new Map<string, { count: number; notBeforeMs: number }>()
  #feeds: readonly Feed[] = []
  #symbols = ''
  /** The vendor as a whole is not asked before then. */
  #notBeforeMs = 0
  #vendorFailures = 0

  constructor(options: PolledSourceOptions, from: PolledCheckpoint | undefined) {
    this.#options = options
    this.#progress = new Map(Object.entries(from?.feeds ?? {}))
  }

  async *run(signal: AbortSignal): AsyncGenerator<SourceBatch<PolledCheckpoint>> {
    const { clock, interest } = this.#options.context
    while (!signal.aborted) {
      this.#refreshFeeds()
      const nowMs = clock.now()
      const due = this.#feeds
        .filter(({ name }) => !this.#aside.has(name))
        .map((feed) => ({ feed, dueMs: this.#dueMs(feed, nowMs) }))
      const feed = nowMs < this.#notBeforeMs ? undefined : choose(due, interest, nowMs)
      if (feed === undefined) {
        this.#tellPlan(due)
        const nextMs = Math.max(this.#notBeforeMs, Math.min(...due.map(({ dueMs }) => dueMs), Number.POSITIVE_INFINITY))
        await clock.sleep(Math.min(LOOK_AGAIN_MS, Math.max(1, nextMs - nowMs)), signal)
        continue
      }
      const batch = await this.#ask(feed, signal)
      if (batch) yield batch
    }
  }

  async #ask(feed: Feed, signal: AbortSignal): Promise<SourceBatch<PolledCheckpoint> | undefined> {
    const { name, context } = this.#options
    const before = this.#progress.get(feed.name)
    try {
      const answer = await endsWith(signal, feed.ask(before?.cursor, signal))
      if (answer === undefined) return undefined
      this.#succeeded(feed)
      return this.#batch(feed, answer)
    } catch (error) {
      if (signal.aborted) return undefined
      if (!(error instanceof VendorError)) throw error
      if (error.code === 'VENDOR_REFUSED' && error.ofKey) throw error
      if (error.code === 'VENDOR_UNKNOWN' || error.code === 'VENDOR_REFUSED') {
        this.#aside.add(feed.name)
        context.log.warn({ source: name, feed: feed.name, code: error.code }, `Not asked any more: ${error.message}`)
        return undefined
      }
      this.#failed(feed, error)
      if (error.code !== 'VENDOR_ANSWER' || error.original === undefined) return undefined
      const reject = rejectOf(error.message, error.original, feed.name)
      return { ticks: [], facts: [], rejects: [reject], checkpoint: this.#checkpoint() }
    }
  }

  #batch(feed: Feed, { facts, rejects, cursor }: FeedAnswer): SourceBatch<PolledCheckpoint> {
    const went = cursor ?? this.#progress.get(feed.name)?.cursor
    this.#progress.set(feed.name, { askedMs: this.#options.context.clock.now(), ...(went && { cursor: went }) })
    return {
      ticks: [],
      facts,
      rejects: rejects.map((reject) => ({ ...reject, feed: feed.name })),
      checkpoint: this.#checkpoint(),
    }
  }

  #succeeded(feed: Feed): void {
    this.#failures.delete(feed.name)
    this.#vendorFailures = 0
    this.#options.context.tellTrouble(this.#options.name, undefined)
  }

  /** A limit and an outage are the vendor's; an answer that is wrong is the feed's. */
  #failed(feed: Feed, error: VendorError): void {
    const { name, context } = this.#options
    const nowMs = context.clock.now()
    if (error.code === 'VENDOR_LIMIT') {
      this.#notBeforeMs = error.retryAtMs ?? nowMs + pauseMs(++this.#vendorFailures)
      return
    }
    const count = (this.#failures.get(feed.name)?.count ?? 0) + 1
    this.#failures.set(feed.name, { count, notBeforeMs: nowMs + pauseMs(count) })
    context.log.debug(
      { source: name, feed: feed.name, code: error.code, err: error },
      'A feed failed; it is asked again',
    )
    if (error.code === 'VENDOR_UNAVAILABLE')
      this.#notBeforeMs = Math.max(error.retryAtMs ?? 0, nowMs + pauseMs(++this.#vendorFailures))
    context.tellTrouble(name, error.message)
  }

  #dueMs(feed: Feed, nowMs: number): number {
    const askedMs = this.#progress.get(feed.name)?.askedMs
    return Math.max(feed.dueMs(nowMs, askedMs), this.#failures.get(feed.name)?.notBeforeMs ?? 0)
  }

  /** The configured symbols, and whatever else somebody watches. */
  #refreshFeeds(): void {
    const { settings, interest, metrics } = this.#options.context
    const wanted = [...new Set([...settings.symbols, ...interest.current().keys()])]
    const symbols = wanted.slice(0, SYMBOLS_MAX)
    const joined = symbols.join(' ')
    if (this.#feeds.length > 0 && joined === this.#symbols) return
    this.#symbols = joined
    this.#feeds = this.#options.feedsOf(symbols)
    const source = this.#options.name
    metrics.pollingFeeds.set({ source, state: 'asked' }, this.#feeds.length)
    metrics.pollingFeeds.set({ source, state: 'aside' }, this.#aside.size)
    metrics.pollingSymbolsLeftOut.set({ source }, wanted.length - symbols.length)
  }

  #tellPlan(due: readonly { readonly feed: Feed; readonly dueMs: number }[]): void {
    const next = new Map<string, number>()
    for (const { feed, dueMs } of due)
      if (feed.symbol !== undefined && feed.topic === 'stock-quotes')
        next.set(feed.symbol, Math.max(this.#notBeforeMs, Math.min(dueMs, next.get(feed.symbol) ?? dueMs)))
    const plan = Array.from(next, ([symbol, nextUpdateAtMs]) => ({ symbol, nextUpdateAtMs }))
    this.#options.context.tellPlan(this.#options.name, plan)
  }

  /** Of the feeds there are now; what was watched long ago is forgotten. */
  #checkpoint(): PolledCheckpoint {
    const feeds = this.#feeds.flatMap(({ name }) => {
      const progress = this.#progress.get(name)
      return progress ? [[name, progress] as const] : []
    })
    return { feeds: Object.fromEntries(feeds) }
  }
}

const pauseMs = (failures: number): number =>
  Math.round(Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random() / 2))

/** Undefined as soon as the signal aborts, whatever the call does then. */
async function endsWith<T>(signal: AbortSignal, call: Promise<T>): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>()
  const leave = () => aborted.resolve(undefined)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([call, aborted.promise])
  } catch (error) {
    if (signal.aborted && isPlatformError(error)) return undefined
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
    // It may still fail later; by then nobody can act on it.
    call.catch(() => undefined)
  }
}
