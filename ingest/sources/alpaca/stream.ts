import { z } from 'zod'
import { dataQuality } from '../../../domain/data-quality.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import { checked, type Message, readMessages } from '../../streaming/json-messages.ts'
import type {
  Conversation,
  StreamEvent,
  StreamLimits,
  StreamProtocol,
  TimedHistory,
} from '../../streaming/stream-protocol.ts'
import { usMarketSilence } from '../../streaming/us-market-silence.ts'
import { withoutKeys } from '../../streaming/without-keys.ts'
import { VendorError, type VendorErrorCode } from '../../vendor-error.ts'
import { articleOf, keyOfTrade, newsItem, tradeName } from './parse.ts'

const { title } = VENDORS.alpaca
export const STREAM_URL = 'wss://stream.data.alpaca.markets'
const TRADES_PATH = '/v2/iex'
export const NEWS_PATH = '/v1beta1/news'
/** What the free plan may subscribe to at once. */
export const STREAMED_SYMBOLS_MAX = 30
/** The old connection of the key is not given up at once: whoever comes back sooner is refused again. */
const CONNECTION_LIMIT_MS = 5_000

export interface AlpacaKey {
  readonly id: string
  readonly secret: string
}

type Channel = 'trades' | 'news'

export interface AlpacaStreamOptions {
  /** Without a path: each stream has its own. */
  readonly url: string
  readonly key: AlpacaKey
  readonly symbols: readonly string[]
}

/** Trades of stocks as one exchange (IEX) prints them. */
export function alpacaTrades(options: AlpacaStreamOptions & { readonly history: TimedHistory }): StreamProtocol {
  const symbols = options.symbols.slice(0, STREAMED_SYMBOLS_MAX)
  return {
    vendor: 'alpaca',
    symbols,
    numbering: 'time',
    timedHistory: options.history,
    limits: { ...LIMITS, silence: { framesMs: 120_000, pingsCount: true, printsMs: usMarketSilence(600_000) } },
    url: () => options.url + TRADES_PATH,
    keyed: true,
    converse: () => conversation(options.key, 'trades', symbols),
  }
}

/** All news, as it is published. Its address is another, and so is its one connection. */
export function alpacaNews(options: AlpacaStreamOptions): StreamProtocol {
  return {
    vendor: 'alpaca',
    name: 'alpaca:news',
    symbols: options.symbols.slice(0, STREAMED_SYMBOLS_MAX),
    numbering: 'arrival',
    limits: LIMITS,
    url: () => options.url + NEWS_PATH,
    keyed: true,
    converse: () => conversation(options.key, 'news', ['*']),
  }
}

const conversation = (key: AlpacaKey, channel: Channel, wanted: readonly string[]): Conversation =>
  withoutKeys(new AlpacaConversation(key, channel, wanted), [key.id, key.secret])

const LIMITS: StreamLimits = {
  attempts: { count: 10, perMs: 60_000 },
  backOffMsMin: CONNECTION_LIMIT_MS,
  backOffMsMax: 120_000,
  messages: { count: 10, perMs: 1_000 },
  connectTimeoutMs: 10_000,
  readyTimeoutMs: 15_000,
  silence: { framesMs: 120_000, pingsCount: true },
  overlap: false,
  frameBytesMax: 4 * 1_024 * 1_024,
}

const tradeMessage = z.object({ S: z.string(), p: z.number(), s: z.number(), t: rfc3339Ms, ...tradeName })

/** Connected, authenticated, subscribed: each step follows the vendor's word, and the first must within ten seconds. */
class AlpacaConversation implements Conversation {
  readonly #key: AlpacaKey
  readonly #channel: Channel
  #wanted: readonly string[]
  #ready = false

  constructor(key: AlpacaKey, channel: Channel, wanted: readonly string[]) {
    this.#key = key
    this.#channel = channel
    this.#wanted = wanted
  }

  opening(): readonly string[] {
    return []
  }

  read(frame: Buffer, receivedAtMs: number): readonly StreamEvent[] {
    return readMessages(title, frame, (message) => this.#readMessage(message, receivedAtMs))
  }

  #readMessage(message: Message, receivedAtMs: number): readonly StreamEvent[] {
    switch (message.T) {
      case 't': {
        const { S, p, s, t, ...name } = checked(tradeMessage, message)
        return [{ kind: 'print', symbol: S, id: 0, key: keyOfTrade(name), price: p, size: s, eventTimeMs: t }]
      }
      case 'n':
        return [
          { kind: 'fact', fact: { topic: 'news-data', event: articleOf(checked(newsItem, message), receivedAtMs) } },
        ]
      case 'c':
      case 'x':
        return [correction(message, receivedAtMs)]
      case 'success':
        return this.#welcomed(message)
      case 'subscription':
        return this.#subscribed()
      case 'error':
        return this.#refused(message, receivedAtMs)
      default:
        return []
    }
  }

  #welcomed(message: Message): readonly StreamEvent[] {
    if (message.msg === 'connected') return [sent({ action: 'auth', key: this.#key.id, secret: this.#key.secret })]
    return message.msg === 'authenticated' ? [this.#subscribe()] : []
  }

  #subscribe(): StreamEvent {
    return sent({ action: 'subscribe', [this.#channel]: this.#wanted })
  }

  /** It is told again with every change; the first one is the answer to ours. */
  #subscribed(): readonly StreamEvent[] {
    if (this.#ready) return []
    this.#ready = true
    return [{ kind: 'ready' }]
  }

  #refused(message: Message, receivedAtMs: number): readonly StreamEvent[] {
    if (message.code === SYMBOL_LIMIT && this.#wanted.length > 1) return this.#wantLess()
    const error = streamError(message, receivedAtMs)
    return error ? [{ kind: 'error', error }] : []
  }

  /** A plan that lets fewer symbols in than ours does not say how many: half of them, until it does. */
  #wantLess(): readonly StreamEvent[] {
    const keep = Math.ceil(this.#wanted.length / 2)
    const reason = `${title} allows this key fewer than ${this.#wanted.length} symbols`
    const left = this.#wanted.slice(keep).map((symbol): StreamEvent => ({ kind: 'unknown', symbol, reason }))
    this.#wanted = this.#wanted.slice(0, keep)
    return [...left, this.#subscribe()]
  }
}

const sent = (message: object): StreamEvent => ({ kind: 'send', frame: JSON.stringify(message) })

const correctionMessage = z.object({
  S: z.string(),
  t: rfc3339Ms,
  /** Of a correction: what it was and what it is. */
  op: z.number().nullish(),
  os: z.number().nullish(),
  cp: z.number().nullish(),
  cs: z.number().nullish(),
  /** Of a cancel: what is taken back. */
  p: z.number().nullish(),
  s: z.number().nullish(),
})

function correction(message: Message, receivedAtMs: number): StreamEvent {
  const { S, t, op, os, cp, cs, p, s } = checked(correctionMessage, message)
  const detail =
    message.T === 'x'
      ? `${S}: a trade of ${s ?? 'some'} at ${p ?? 'some price'} was taken back`
      : `${S}: a trade of ${os ?? 'some'} at ${op ?? 'some price'} was corrected to ${cs ?? 'some'} at ${cp ?? 'some price'}`
  const event = dataQuality({
    kind: 'CORRECTION',
    source: 'alpaca',
    symbol: S,
    eventTimeMs: t,
    ingestTimeMs: receivedAtMs,
    detail,
  })
  return { kind: 'fact', fact: { topic: 'data-quality', event } }
}

const SYMBOL_LIMIT = 405
const ALREADY_AUTHENTICATED = 403

/** What the core does follows from the code: see `StreamEvent`. Any other code is logged. */
const CODES: Readonly<Record<number, VendorErrorCode>> = {
  401: 'VENDOR_UNAVAILABLE',
  402: 'VENDOR_REFUSED',
  404: 'VENDOR_UNAVAILABLE',
  406: 'VENDOR_LIMIT',
  407: 'VENDOR_UNAVAILABLE',
  409: 'VENDOR_REFUSED',
  500: 'VENDOR_UNAVAILABLE',
}

function streamError(message: Message, receivedAtMs: number): VendorError | undefined {
  const code = typeof message.code === 'number' ? message.code : 0
  if (code === ALREADY_AUTHENTICATED) return undefined
  const meaning = typeof message.msg === 'string' ? message.msg.slice(0, 200) : 'no message'
  return new VendorError(CODES[code] ?? 'VENDOR_ANSWER', `${title} says on its socket ${code}: ${meaning}`, {
    ...(code === 406 && { retryAtMs: receivedAtMs + CONNECTION_LIMIT_MS }),
  })
}
