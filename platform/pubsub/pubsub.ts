import type { Article } from '../../domain/article.ts'
import type { Bar } from '../../domain/bar.ts'
import type { DataQuality } from '../../domain/data-quality.ts'
import type { Observation } from '../../domain/observation.ts'
import type { QuoteSnapshot } from '../../domain/quote-snapshot.ts'
import type { Tick } from '../../domain/tick.ts'

/** What can be listened to. The key picks whom it is about, so nobody filters: there is a channel per symbol. */
export interface Channels {
  /** Key: symbol. The ticks of that symbol which one transaction stored, in order. */
  tick: TickUpdate
  /** Key: `<symbol>:<interval>`. The bar as it stands after one transaction. */
  bar: Bar
  /** Key: each symbol that the article names, and EVERY_KEY. Told once, when it was new. */
  article: Article
  /** Key: series id, and EVERY_KEY. A value that was new, or a revision. */
  observation: Observation
  /** Key: symbol. A vendor's newest picture of the price. */
  quote: QuoteSnapshot
  /** Key: symbol where it is about one, and EVERY_KEY. */
  dataQuality: DataQuality
}

/** The key of whoever wants to hear all of a channel. Only of channels that are told a few times a second at most. */
export const EVERY_KEY = '*'

export interface TickUpdate {
  /** In bus order; the newest where `skipped` is above zero. */
  readonly ticks: readonly Tick[]
  /** Stored together with them, but left out here because there were too many. They can be queried. */
  readonly skipped: number
}

/**
 * Ephemeral fan-out to whoever is listening now: at most once, in order per channel and key from one publisher.
 * Anything that must survive a crash belongs on the EventBus.
 */
export interface PubSub extends AsyncDisposable {
  /**
   * Resolves when the event was handed to the backend; nobody has to be listening. Never waits for a listener.
   * @throws PUBSUB_UNAVAILABLE while the backend cannot be reached. The event is lost then, which is what ephemeral means.
   */
  publish<C extends keyof Channels>(channel: C, key: string, event: Channels[C]): Promise<void>

  /**
   * Resolves once the subscription is live: an event published after that arrives. Call the result to leave.
   * Listeners are called one after the other in order of events and must return at once. One that throws is counted and
   * disturbs nobody; one that leaves never silences another; after the backend was away, all hear again.
   * However many listen to a channel and key, the backend sees one subscription per process.
   * `onClosed` is called once, when the pubsub is closed while this one listens: nothing will be heard any more.
   * @throws PUBSUB_UNAVAILABLE when the backend could not be reached in a few seconds.
   */
  subscribe<C extends keyof Channels>(
    channel: C,
    key: string,
    listener: (event: Channels[C]) => void,
    onClosed?: () => void,
  ): Promise<() => Promise<void>>

  /** Rejects with PUBSUB_UNAVAILABLE and a reason while the backend cannot be reached. For readiness. */
  ping(): Promise<void>
}
