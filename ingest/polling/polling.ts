import { VENDORS } from '../../domain/vendors.ts'
import type { KeyRing } from '../quota/key-ring.ts'
import { rejectOf } from '../reject-position.ts'
import type { SourceBatch } from '../source.ts'
import { VendorError } from '../vendor-error.ts'
import type { Feed, FeedAnswer } from './feed.ts'
import { checkpointOf, type FeedProgress, type PolledCheckpoint, progressOf } from './feed-progress.ts'
import { type Candidate, Lane } from './lane.ts'
import { POLLING_DEFAULTS, type PolledSourceOptions, type PollingLimits } from './polling-options.ts'
import { SavedRequests } from './saved-requests.ts'
import { symbolsWanted } from './symbols-wanted.ts'

/** However far away the next turn is: interest changes, and with it the symbols. */
const LOOK_AGAIN_MS = 15_000
const TELL_PLAN_EVERY_MS = 5_000
/** A budget that is used up for so long is worth telling. */
const USED_UP_MS = 120_000

type Batch = SourceBatch<PolledCheckpoint>

/** An ask that has come to its end. Nothing of it counts before it is told. */
interface Ended {
  readonly feed: Feed
  readonly lane: Lane
  readonly askedMs: number
  readonly outcome: { readonly answer: FeedAnswer } | { readonly error: unknown }
}

/** One reading of a polled source, from its start to its stop. */
export class Polling {
  readonly #options: PolledSourceOptions
  readonly #limits: PollingLimits
  readonly #progress: Map<string, FeedProgress>
  readonly #lanes = new Map<KeyRing, Lane>()
  /** Feeds that the vendor does not know or does not give us. */
  readonly #aside = new Set<string>()
  readonly #underWay = new Set<string>()
  readonly #saved = new SavedRequests()
  #feeds: readonly Feed[] = []
  #symbols: string | undefined
  #ended: Ended[] = []
  #nap = new AbortController()
  #plan = { toldMs: Number.NEGATIVE_INFINITY, text: '' }
  #trouble: string | undefined

  constructor(options: PolledSourceOptions, from: unknown) {
    this.#options = options
    this.#limits = { ...POLLING_DEFAULTS, ...options.limits }
    this.#progress = progressOf(from)
  }

  async *run(signal: AbortSignal): AsyncGenerator<Batch> {
    const wake = () => this.#nap.abort()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted) {
        await this.#refreshFeeds(signal)
        for (let ended = this.#ended.shift(); ended; ended = this.#ended.shift()) {
          const batch = this.#conclude(ended)
          if (batch) yield batch
        }
        if (signal.aborted) return
        const nextMs = this.#startAsks(signal)
        this.#tellPlan()
        this.#tellTrouble()
        await this.#rest(nextMs)
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#options.context.tellTrouble(this.#options.name, undefined)
    }
  }

  /** As many as may go now; answers when to look again. */
  #startAsks(signal: AbortSignal): number {
    const { clock, interest } = this.#options.context
    const current = interest.current()
    const nowMs = clock.now()
    let nextMs = nowMs + LOOK_AGAIN_MS
    for (const lane of this.#lanes.values()) {
      while (this.#underWay.size < this.#limits.asksAtOnceMax) {
        const turn = lane.next(this.#candidates(lane, false), current, nowMs)
        if ('feed' in turn) {
          this.#start(turn.feed, lane, nowMs, signal)
          continue
        }
        nextMs = Math.min(nextMs, turn.nextMs)
        if (turn.noRoom && turn.nextMs >= nowMs + USED_UP_MS) lane.trouble ??= this.#usedUp(turn.nextMs)
        break
      }
    }
    return nextMs
  }

  #start(feed: Feed, lane: Lane, nowMs: number, signal: AbortSignal): void {
    this.#underWay.add(feed.name)
    lane.began(feed)
    const end = (outcome: Ended['outcome']) => {
      this.#ended.push({ feed, lane, askedMs: nowMs, outcome })
      this.#nap.abort()
    }
    // Called inside a promise, so that one that throws at once fails like any other.
    Promise.resolve()
      .then(() => feed.ask(this.#progress.get(feed.name)?.cursor, signal))
      .then(
        (answer) => end({ answer }),
        (error: unknown) => end({ error }),
      )
  }

  /** @throws what no later ask can mend */
  #conclude({ feed, lane, askedMs, outcome }: Ended): Batch | undefined {
    this.#underWay.delete(feed.name)
    lane.ended(feed)
    if ('error' in outcome) return this.#failed(feed, lane, outcome.error)
    if (outcome.answer.isUnread) return this.#unread(feed, lane, outcome.answer)
    lane.succeeded(feed)
    this.#saved.asked(feed.name)
    this.#options.context.metrics.quotaSaved.set({ source: this.#options.name }, this.#saved.of(this.#feeds.length))
    const { answer } = outcome
    const before = this.#progress.get(feed.name)
    const countsMs = answer.goesOn ? before?.askedMs : askedMs
    const cursor = answer.cursor ?? before?.cursor
    this.#progress.set(feed.name, {
      seenMs: before?.seenMs ?? askedMs,
      ...(countsMs !== undefined && { askedMs: countsMs }),
      ...(cursor && { cursor }),
    })
    return this.#batchOf(feed, answer)
  }

  #batchOf(feed: Feed, { facts, rejects }: Pick<FeedAnswer, 'facts' | 'rejects'>): Batch {
    const named = rejects.map((reject) => ({
      ...reject,
      feed: feed.name,
      ...(reject.topic === undefined && feed.topic && { topic: feed.topic }),
    }))
    return { ticks: [], facts, rejects: named, checkpoint: this.#checkpoint() }
  }

  #unread(feed: Feed, lane: Lane, answer: FeedAnswer): Batch {
    const { name, context } = this.#options
    const why = `${VENDORS[name].title}: nothing of ${feed.name} could be read: ${answer.rejects[0]?.reason}`
    lane.failed(feed, new VendorError('VENDOR_ANSWER', why), context.clock.now())
    return this.#batchOf(feed, answer)
  }

  #failed(feed: Feed, lane: Lane, error: unknown): Batch | undefined {
    const { name, context } = this.#options
    if (!(error instanceof VendorError)) throw error
    if (error.code === 'VENDOR_REFUSED' && error.ofKey) {
      if (!lane.quota.usable || lane.quota.keys.length <= 1) throw error
      context.log.warn({ source: name, code: error.code }, `One of several keys is not used any more: ${error.message}`)
      return undefined
    }
    if (error.code === 'VENDOR_UNKNOWN' || error.code === 'VENDOR_REFUSED') {
      this.#putAside(feed, error)
      return undefined
    }
    lane.failed(feed, error, context.clock.now())
    context.log.debug({ source: name, feed: feed.name, code: error.code }, `Asked again later: ${error.message}`)
    if (error.code !== 'VENDOR_ANSWER' || error.original === undefined) return undefined
    return this.#batchOf(feed, { facts: [], rejects: [rejectOf(error.message, error.original, feed.name)] })
  }

  #putAside(feed: Feed, error: VendorError): void {
    const { name, context } = this.#options
    this.#aside.add(feed.name)
    context.log.warn({ source: name, feed: feed.name, code: error.code }, `Not asked any more: ${error.message}`)
    this.#countFeeds()
  }

  /** Sleeps until then, or until an ask has ended or somebody stops us. */
  async #rest(untilMs: number): Promise<void> {
    const { clock } = this.#options.context
    if (this.#ended.length === 0) await clock.sleep(Math.max(1, untilMs - clock.now()), this.#nap.signal)
    this.#nap = new AbortController()
  }

  /** The configured symbols and the watched ones may have changed; new feeds are there from now on. */
  async #refreshFeeds(signal: AbortSignal): Promise<void> {
    const { name, feedsOf, quota, context } = this.#options
    const { symbols, leftOut } = symbolsWanted(
      context.settings.symbols,
      context.interest.current(),
      this.#limits.symbolsMax,
    )
    const joined = symbols.join(' ')
    if (joined === this.#symbols) return
    this.#symbols = joined
    this.#feeds = feedsOf(symbols)
    const seenMs = context.clock.now()
    for (const feed of this.#feeds) {
      if (!this.#progress.has(feed.name)) this.#progress.set(feed.name, { seenMs })
      const ring = typeof quota === 'function' ? quota(feed) : quota
      const lane = this.#lanes.get(ring) ?? new Lane(ring)
      if (!this.#lanes.has(ring)) await endsWith(signal, ring.load(signal))
      this.#lanes.set(ring, lane)
    }
    this.#forgetOthers()
    this.#countFeeds()
    context.metrics.pollingSymbolsLeftOut.set({ source: name }, leftOut)
  }

  /** Symbols come and go for months: what is known of those who are gone stays within bounds. */
  #forgetOthers(): void {
    const current = new Set(this.#feeds.map((feed) => feed.name))
    for (const lane of this.#lanes.values()) lane.keepOnly(current)
    this.#saved.keepOnly(current)
    const kept = checkpointOf(this.#progress, current).feeds
    for (const name of this.#progress.keys()) if (!Object.hasOwn(kept, name)) this.#progress.delete(name)
    for (const name of this.#aside) if (!this.#progress.has(name)) this.#aside.delete(name)
  }

  #candidates(lane: Lane, isWithUnderWay: boolean): readonly Candidate[] {
    const { quota } = this.#options
    return this.#feeds.flatMap((feed) => {
      const times = this.#progress.get(feed.name)
      const isOurs = typeof quota !== 'function' || quota(feed) === lane.quota
      if (!times || !isOurs || this.#aside.has(feed.name)) return []
      return isWithUnderWay || !this.#underWay.has(feed.name) ? [{ feed, times }] : []
    })
  }

  #checkpoint(): PolledCheckpoint {
    return checkpointOf(this.#progress, new Set(this.#feeds.map((feed) => feed.name)))
  }

  #tellPlan(): void {
    const { name, context } = this.#options
    const nowMs = context.clock.now()
    if (nowMs < this.#plan.toldMs + TELL_PLAN_EVERY_MS) return
    const next = new Map<string, number>()
    for (const lane of this.#lanes.values())
      for (const [feed, atMs] of lane.plan(this.#candidates(lane, true), context.interest.current(), nowMs))
        if (feed.tellsPrices && Number.isFinite(atMs))
          for (const symbol of feed.symbols ?? [])
            next.set(symbol, Math.min(Math.ceil(atMs), next.get(symbol) ?? Number.POSITIVE_INFINITY))
    const plan = Array.from(next, ([symbol, nextUpdateAtMs]) => ({ symbol, nextUpdateAtMs }))
    const text = JSON.stringify(plan)
    const isNew = text !== this.#plan.text
    this.#plan = { toldMs: nowMs, text }
    if (isNew) context.tellPlan(name, plan)
  }

  #tellTrouble(): void {
    const { name, context } = this.#options
    const troubles = [...this.#lanes.values()].map(({ trouble }) => trouble).filter((trouble) => trouble !== undefined)
    const trouble = troubles.length === 0 ? undefined : troubles.join('; ').slice(0, 1_000)
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    context.tellTrouble(name, trouble)
  }

  #usedUp(untilMs: number): string {
    const { title } = VENDORS[this.#options.name]
    return `${title}: all requests it allows are used up; it is asked again at ${new Date(untilMs).toISOString()}`
  }

  #countFeeds(): void {
    const { name, context } = this.#options
    context.metrics.pollingFeeds.set({ source: name, state: 'asked' }, this.#feeds.length - this.#aside.size)
    context.metrics.pollingFeeds.set({ source: name, state: 'aside' }, this.#aside.size)
  }
}

/** Resolves as soon as the signal aborts, whatever the work does then. */
async function endsWith(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const leave = () => aborted.resolve()
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', leave)
    // It may still fail later; by then nobody can act on it.
    work.catch(() => undefined)
  }
}
