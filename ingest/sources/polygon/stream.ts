import { z } from 'zod'
import { VENDORS } from '../../../domain/vendors.ts'
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
import { VendorError } from '../../vendor-error.ts'
import { keyOfTrade } from './parse.ts'

const { title } = VENDORS.polygon
/** Plans that are told late have an address of their own. */
export const STREAM_URLS = { live: 'wss://socket.massive.com', delayed: 'wss://delayed.massive.com' } as const
const STOCKS_PATH = '/stocks'
/** More in one message than this is split over several. */
const SYMBOLS_PER_MESSAGE_MAX = 100
/** How long to stay away after being told that there are too many connections. */
const LIMITED_MS = 15_000

export interface PolygonStreamOptions {
  /** Without a path. */
  readonly url: string
  readonly key: string
  readonly symbols: readonly string[]
  readonly history: TimedHistory
}

/** Trades of stocks, of all exchanges, for plans that include the socket. */
export function polygonTrades(options: PolygonStreamOptions): StreamProtocol {
  return {
    vendor: 'polygon',
    symbols: options.symbols,
    numbering: 'time',
    timedHistory: options.history,
    limits: LIMITS,
    url: () => options.url + STOCKS_PATH,
    keyed: true,
    converse: () => withoutKeys(new PolygonConversation(options.key, options.symbols), [options.key]),
  }
}

const LIMITS: StreamLimits = {
  attempts: { count: 10, perMs: 60_000 },
  backOffMsMin: 2_000,
  backOffMsMax: 120_000,
  messages: { count: 10, perMs: 1_000 },
  connectTimeoutMs: 10_000,
  readyTimeoutMs: 15_000,
  silence: { framesMs: 120_000, pingsCount: true, printsMs: usMarketSilence(300_000) },
  overlap: false,
  frameBytesMax: 16 * 1_024 * 1_024,
}

const tradeMessage = z.object({
  sym: z.string(),
  p: z.number(),
  s: z.number(),
  t: z.int(),
  x: z.int(),
  i: z.string().nullish(),
  trfi: z.int().nullish(),
  q: z.int().nullish(),
})

function printOf(message: Message): StreamEvent {
  const { sym, x, i, p, s, t, q, trfi } = checked(tradeMessage, message)
  const key = keyOfTrade({ exchange: x, facility: trfi, id: i, sequence: q })
  return { kind: 'print', symbol: sym, id: 0, key, price: p, size: s, eventTimeMs: t }
}

class PolygonConversation implements Conversation {
  readonly #key: string
  readonly #symbols: readonly string[]
  #ready = false

  constructor(key: string, symbols: readonly string[]) {
    this.#key = key
    this.#symbols = symbols
  }

  opening(): readonly string[] {
    return []
  }

  read(frame: Buffer, receivedAtMs: number): readonly StreamEvent[] {
    return readMessages(title, frame, (message) => {
      if (message.ev === 'T') return [printOf(message)]
      return message.ev === 'status' ? this.#status(message, receivedAtMs) : []
    })
  }

  #status(message: Message, receivedAtMs: number): readonly StreamEvent[] {
    switch (message.status) {
      case 'connected':
        return [sent({ action: 'auth', params: this.#key })]
      case 'auth_success':
        return subscriptions(this.#symbols)
      case 'success':
        return this.#subscribed()
      case 'auth_failed':
      case 'auth_timeout':
      case 'max_connections':
      case 'error':
        return [{ kind: 'error', error: streamError(message.status, sentenceOf(message), receivedAtMs) }]
      default:
        return []
    }
  }

  /** Every subscription is confirmed on its own. */
  #subscribed(): readonly StreamEvent[] {
    if (this.#ready) return []
    this.#ready = true
    return [{ kind: 'ready' }]
  }
}

const sent = (message: object): StreamEvent => ({ kind: 'send', frame: JSON.stringify(message) })

function subscriptions(symbols: readonly string[]): StreamEvent[] {
  const frames: StreamEvent[] = []
  for (let from = 0; from < symbols.length; from += SYMBOLS_PER_MESSAGE_MAX) {
    const slice = symbols.slice(from, from + SYMBOLS_PER_MESSAGE_MAX)
    frames.push(sent({ action: 'subscribe', params: slice.map((symbol) => `T.${symbol}`).join(',') }))
  }
  return frames
}

const sentenceOf = (message: Message): string =>
  typeof message.message === 'string' ? message.message.slice(0, 200) : 'no message'

function streamError(status: string, sentence: string, receivedAtMs: number): VendorError {
  const said = `${title} says on its socket ${status}: ${sentence}`
  if (status === 'auth_failed' || /not authorized/i.test(sentence)) return new VendorError('VENDOR_REFUSED', said)
  if (status === 'auth_timeout') return new VendorError('VENDOR_UNAVAILABLE', said)
  if (status === 'max_connections')
    return new VendorError('VENDOR_LIMIT', said, { retryAtMs: receivedAtMs + LIMITED_MS })
  return new VendorError('VENDOR_ANSWER', said)
}
