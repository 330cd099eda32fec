import type { VendorName } from '../../domain/vendors.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import type { Reject } from '../source.ts'
import type { VendorError } from '../vendor-error.ts'

/**
 * What one vendor's socket speaks. The vendor says what to send and what a frame means; `streamedSource` does the rest:
 * connecting within the limits, silence, duplicates, order, gaps, backfill, backpressure, checkpoints.
 */
export interface StreamProtocol {
  readonly vendor: VendorName
  /** Name of the source where a vendor has several; default: the vendor's. */
  readonly name?: string
  /** Platform symbols that it follows; at most SYMBOLS_MAX. A print or heartbeat of any other is ignored. */
  readonly symbols: readonly string[]
  /**
   * `trade-id`: the venue numbers the prints of a product 1, 2, 3 … without holes and for ever. Each product is a source of
   * its own, `coinbase:BTC-USD`; position and seq are the trade id; duplicates are removed and holes found by it.
   * `time`: no such number, but each print has a key of its own, and the vendor's history can be read by time. Each product is a
   * source of its own; position and seq are the print's millisecond and its place in it; what was missed while away is read
   * from history, and what is in both is told once.
   * `arrival`: nothing of the kind: prints are numbered as they come, and what was missed while away is announced as a GAP.
   */
  readonly numbering: 'trade-id' | 'time' | 'arrival'
  readonly limits: StreamLimits
  /** Where to connect; asked for every connection. May hold a key: it is never logged. */
  url(): string
  /** Of the upgrade request. May hold a key: never logged. */
  readonly headers?: Readonly<Record<string, string>>
  /** A key is sent, so 401 and 403 at the door mean that it is refused, and the source ends. */
  readonly keyed: boolean
  /** The talk over one connection: whatever must be remembered between its frames lives in it. */
  converse(): Conversation
  /** Where the holes are filled from; only with `trade-id`. Without it every hole is announced as a GAP. */
  readonly history?: TradeHistory
  /** Where what was missed is read; only with `time`. Without it a GAP says what is missing. */
  readonly timedHistory?: TimedHistory
}

export interface Conversation {
  /** What to send as soon as the socket is open, subscriptions in slices of what a message may hold. Sent in order. */
  opening(): readonly string[]
  /**
   * What a frame says, in order. Pure but for the conversation's own state, and quick: it runs once per frame. Unknown kinds
   * of message say nothing: `[]`.
   * @throws VendorError VENDOR_ANSWER for a frame that is not what the vendor's documentation says: the core puts the
   * frame's bytes to the rejects and reads on.
   */
  read(frame: Buffer, receivedAtMs: number): readonly StreamEvent[]
}

export type StreamEvent =
  | Print
  | Heartbeat
  /** Anything that is not a tick: a quote, an article, a correction (`data-quality`). Already valid. */
  | { readonly kind: 'fact'; readonly fact: Fact }
  /** One bad item of a frame whose other items are good. */
  | { readonly kind: 'reject'; readonly reason: string; readonly original: Buffer }
  /** A next step of the handshake, or an answer to the vendor's own ping. */
  | { readonly kind: 'send'; readonly frame: string }
  /** Let in and subscribed. */
  | { readonly kind: 'ready' }
  /** The vendor does not have this symbol, or not for us. Said once; the others go on. */
  | { readonly kind: 'unknown'; readonly symbol: string; readonly reason: string }
  /** The vendor is about to close: connect anew, before it does where `limits.overlap` allows. */
  | { readonly kind: 'leaving'; readonly reason: string }
  /**
   * The vendor said that something is wrong. VENDOR_REFUSED ends the source; VENDOR_LIMIT and VENDOR_UNAVAILABLE end the
   * connection (the next one is tried not before `retryAtMs`); any other is logged and the conversation goes on.
   */
  | { readonly kind: 'error'; readonly error: VendorError }

/** A trade as the vendor told it. The core makes the tick of it; where it is not one, the frame is a reject. */
export interface Print {
  readonly kind: 'print'
  readonly symbol: string
  /** The trade id where numbering is `trade-id`, else ignored. */
  readonly id: number
  /** Where numbering is `time`: what tells it from every other print of its symbol and day, on the socket as in history. */
  readonly key?: string
  readonly price: number
  readonly size: number
  readonly eventTimeMs: number
}

/** A sign of life. */
export interface Heartbeat {
  readonly kind: 'heartbeat'
  /** With `lastId`: the newest trade of this symbol; being behind it for longer than a moment is a hole. */
  readonly symbol?: string
  readonly lastId?: number
}

export interface StreamLimits {
  /** Connections that may be tried; stay below what the documentation allows. */
  readonly attempts: Rate
  /** Between two tries, with decorrelated jitter in between. */
  readonly backOffMsMin: number
  readonly backOffMsMax: number
  /** Client messages on one connection. */
  readonly messages: Rate
  /** From the start of the connection to the open socket. */
  readonly connectTimeoutMs: number
  /** From the open socket to `ready`; undefined: it is ready as soon as it is open. */
  readonly readyTimeoutMs: number | undefined
  readonly silence: SilenceLimits
  /** The vendor closes after its maximum life; shortly before that we connect anew. */
  readonly lifeMsMax?: number
  /** Two connections may be open for a moment, so that a planned change loses nothing. Never with one connection per key. */
  readonly overlap: boolean
  /** Sent again and again where the vendor wants to hear from us. */
  readonly keepAlive?: { readonly everyMs: number; readonly frame: string }
  /** A longer frame ends the connection. */
  readonly frameBytesMax: number
}

export interface Rate {
  readonly count: number
  readonly perMs: number
}

/** An open socket that is mute is dead: it is dropped, told as SILENT_SOURCE, and replaced. */
export interface SilenceLimits {
  /** Without any frame for so long. */
  readonly framesMs: number
  /** Pings of the vendor's and pongs to ours count as frames: for vendors who say nothing while nothing trades. */
  readonly pingsCount: boolean
  /** Without a print or fact for so long, by the time of day; undefined: as long as it likes. */
  readonly printsMs?: (nowMs: number) => number | undefined
}

/** The venue's REST side, by trade id. */
export interface TradeHistory {
  /**
   * The prints between, in any order, page by page; others may be among them. Ends when the venue has no more of them; the
   * core ends it early when the hole is filled.
   * @throws VendorError
   */
  prints(hole: Hole, signal: AbortSignal): AsyncIterable<HistoryPage>
  /** Ask after every connection, also without a sign of a hole: for a venue that sends neither snapshot nor heartbeat. */
  readonly asksAlways: boolean
}

export interface HistoryPage {
  readonly prints: readonly HistoricalPrint[]
  readonly rejects: readonly Omit<Reject, 'feed'>[]
}

export interface HistoricalPrint extends Omit<Print, 'kind' | 'symbol'> {
  /** The venue's bytes, to be put aside where it is no tick. */
  original(): Buffer
}

/** The vendor's REST side, by time. */
export interface TimedHistory {
  /** Symbols that one request asks for together. */
  readonly symbolsAtOnce: number
  /**
   * All that was printed of the symbols from then on, page by page, of each the oldest first. Ends with the newest.
   * @throws VendorError
   */
  prints(symbols: readonly string[], fromMs: number, signal: AbortSignal): AsyncIterable<TimedHistoryPage>
}

export interface TimedHistoryPage {
  readonly prints: readonly TimedHistoryPrint[]
  readonly rejects: readonly Omit<Reject, 'feed'>[]
}

export interface TimedHistoryPrint extends Omit<Print, 'kind' | 'id' | 'key'> {
  readonly key: string
  /** The vendor's bytes, to be put aside where it is no tick. */
  original(): Buffer
}

/** Trades of a symbol that we have not got. */
export interface Hole {
  readonly symbol: string
  /** The newest one before it that we have got. */
  readonly after: { readonly id: number; readonly eventTimeMs: number }
  /** The oldest one after it that we have got or know of; undefined: whatever the venue has. */
  readonly beforeId: number | undefined
}
