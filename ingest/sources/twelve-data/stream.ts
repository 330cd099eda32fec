import { z } from 'zod'
import { pairOf } from '../../../domain/currencies.ts'
import { quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { checked, type JsonFrame, type Message, readMessages } from '../../streaming/json-messages.ts'
import type { Conversation, StreamEvent, StreamLimits, StreamProtocol } from '../../streaming/stream-protocol.ts'
import { usMarketSilence } from '../../streaming/us-market-silence.ts'
import { withoutKeys } from '../../streaming/without-keys.ts'
import { VendorError } from '../../vendor-error.ts'
import { fromTwelveData, toTwelveData } from './parse.ts'

const { licence, title } = VENDORS['twelve-data']
/** What the free plan may subscribe to, as a trial. */
export const STREAMED_SYMBOLS_MAX = 8
const HEARTBEAT_MS = 10_000

export interface TwelveDataStreamOptions {
  readonly url: string
  readonly key: string
  readonly symbols: readonly string[]
}

/** Prices as they change. They are no trades: they have neither a size nor a number. */
export function twelveDataPrices(options: TwelveDataStreamOptions): StreamProtocol {
  const symbols = options.symbols.slice(0, STREAMED_SYMBOLS_MAX)
  return {
    vendor: 'twelve-data',
    symbols,
    numbering: 'arrival',
    limits: limitsOf(symbols),
    url: () => `${options.url}?apikey=${encodeURIComponent(options.key)}`,
    keyed: true,
    converse: () => withoutKeys(conversation(symbols), [options.key]),
  }
}

function limitsOf(symbols: readonly string[]): StreamLimits {
  return {
    attempts: { count: 3, perMs: 60_000 },
    backOffMsMin: 5_000,
    backOffMsMax: 120_000,
    // A hundred events of ours are allowed in all; heartbeats are not counted among them.
    messages: { count: 10, perMs: 1_000 },
    connectTimeoutMs: 10_000,
    readyTimeoutMs: 20_000,
    // Every heartbeat of ours is answered by one of theirs.
    silence: { framesMs: 4 * HEARTBEAT_MS, pingsCount: false, ...pricesSilence(symbols) },
    keepAlive: { everyMs: HEARTBEAT_MS, frame: JSON.stringify({ action: 'heartbeat' }) },
    overlap: false,
    frameBytesMax: 1_024 * 1_024,
  }
}

const pricesSilence = (symbols: readonly string[]) =>
  symbols.some((symbol) => pairOf(symbol) === undefined) ? { printsMs: usMarketSilence(600_000) } : {}

const conversation = (symbols: readonly string[]): Conversation => ({
  opening: () => [JSON.stringify({ action: 'subscribe', params: { symbols: symbols.map(toTwelveData).join(',') } })],
  read: readTwelveDataFrame,
})

/** @throws VendorError VENDOR_ANSWER */
export const readTwelveDataFrame = (frame: Buffer, receivedAtMs: number): readonly StreamEvent[] =>
  readMessages(title, frame, (message, all) => {
    if (message.event === 'price') return [price(message, receivedAtMs)]
    if (message.event === 'heartbeat') return [{ kind: 'heartbeat' }]
    if (message.event === 'subscribe-status') return subscribeStatus(message, all)
    return message.status === 'error' ? [{ kind: 'error', error: socketError(message) }] : []
  })

const priceMessage = z.object({
  symbol: z.string(),
  price: z.number(),
  timestamp: z.int(),
  day_volume: z.number().nullish(),
})

function price(message: Message, receivedAtMs: number): StreamEvent {
  const told = checked(priceMessage, message)
  const event = quoteSnapshot({
    symbol: fromTwelveData(told.symbol),
    source: 'twelve-data',
    licence,
    price: told.price,
    previousClose: null,
    dayVolume: told.day_volume ?? null,
    eventTimeMs: told.timestamp * 1_000,
    ingestTimeMs: receivedAtMs,
    delayed: false,
  })
  return { kind: 'fact', fact: { topic: 'stock-quotes', event } }
}

const statusMessage = z.object({ status: z.string(), fails: z.array(z.unknown()).nullish() })
const failedItem = z.object({ symbol: z.string(), message: z.string().nullish() })

/** Some symbols let in and some not is a `warning`: the others go on, and connecting again would bring the same. */
function subscribeStatus(message: Message, frame: JsonFrame): readonly StreamEvent[] {
  const { status, fails } = checked(statusMessage, message)
  const unknown = frame.each(
    fails ?? [],
    (item) => {
      const { symbol, message: why } = checked(failedItem, item)
      return [{ kind: 'unknown', symbol: fromTwelveData(symbol), reason: (why ?? 'no reason given').slice(0, 200) }]
    },
    (item) => ({ ...message, fails: [item] }),
  )
  return status === 'ok' || status === 'warning' || unknown.length > 0
    ? [...unknown, { kind: 'ready' }]
    : [{ kind: 'error', error: socketError(message) }]
}

function socketError(message: Message): VendorError {
  const sentence = typeof message.message === 'string' ? message.message.slice(0, 200) : 'no message'
  const said = `${title} says on its socket: ${sentence}`
  if (message.code === 401 || message.code === 403 || /api ?key/i.test(sentence))
    return new VendorError('VENDOR_REFUSED', said)
  if (message.code === 429 || /limit|credits/i.test(sentence)) return new VendorError('VENDOR_LIMIT', said)
  return new VendorError('VENDOR_ANSWER', said)
}
