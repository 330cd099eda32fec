import { z } from 'zod'
import { pairOf } from '../../../domain/currencies.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { checked, type JsonFrame, type Message, readMessages } from '../../streaming/json-messages.ts'
import type { Conversation, StreamEvent, StreamLimits, StreamProtocol } from '../../streaming/stream-protocol.ts'
import { usMarketSilence } from '../../streaming/us-market-silence.ts'
import { withoutKeys } from '../../streaming/without-keys.ts'
import { VendorError } from '../../vendor-error.ts'
import { fromFinnhub, toFinnhub } from './symbols.ts'

const { title } = VENDORS.finnhub
/** What a free key may subscribe to at once. */
export const STREAMED_SYMBOLS_MAX = 50

/** How long to stay away after being told that it was too much. */
const LIMITED_MS = 30_000

export interface FinnhubStreamOptions {
  readonly url: string
  readonly key: string
  readonly symbols: readonly string[]
  /** A change of a quote that came as a trade of nothing: it is no print. */
  readonly skipped: (count: number) => void
}

export function finnhubStream(options: FinnhubStreamOptions): StreamProtocol {
  const symbols = options.symbols.slice(0, STREAMED_SYMBOLS_MAX)
  return {
    vendor: 'finnhub',
    symbols,
    numbering: 'arrival',
    limits: limitsOf(symbols),
    url: () => `${options.url}?token=${encodeURIComponent(options.key)}`,
    keyed: true,
    converse: () => withoutKeys(conversation(symbols, options.skipped), [options.key]),
  }
}

function limitsOf(symbols: readonly string[]): StreamLimits {
  return {
    attempts: { count: 10, perMs: 60_000 },
    backOffMsMin: 1_000,
    backOffMsMax: 60_000,
    messages: { count: 25, perMs: 1_000 },
    connectTimeoutMs: 10_000,
    readyTimeoutMs: undefined,
    // It sends a message of its own about once a minute, which a socket that is mute does not.
    silence: { framesMs: 180_000, pingsCount: false, ...printsSilence(symbols) },
    overlap: false,
    frameBytesMax: 4 * 1_024 * 1_024,
  }
}

/** Sockets were seen to ping for days while no trade came. Pairs alone are no measure: some trade but now and then. */
const printsSilence = (symbols: readonly string[]) =>
  symbols.some((symbol) => pairOf(symbol) === undefined) ? { printsMs: usMarketSilence(600_000) } : {}

const conversation = (symbols: readonly string[], skipped: (count: number) => void): Conversation => ({
  opening: () => symbols.map((symbol) => JSON.stringify({ type: 'subscribe', symbol: toFinnhub(symbol) })),
  read: (frame, receivedAtMs) => readFinnhubFrame(frame, receivedAtMs, skipped),
})

/** @throws VendorError VENDOR_ANSWER */
export const readFinnhubFrame = (
  frame: Buffer,
  receivedAtMs: number,
  skipped: (count: number) => void,
): readonly StreamEvent[] =>
  readMessages(title, frame, (message, all) => {
    if (message.type === 'trade') return trades(message, all, skipped)
    if (message.type === 'ping') return [{ kind: 'heartbeat' }]
    if (message.type === 'error') return [{ kind: 'error', error: socketError(message, receivedAtMs) }]
    return []
  })

const tradesMessage = z.object({ data: z.array(z.unknown()) })
const tradeItem = z.object({ s: z.string(), p: z.number(), t: z.int(), v: z.number() })

function trades(message: Message, frame: JsonFrame, skipped: (count: number) => void): readonly StreamEvent[] {
  let skippedCount = 0
  const events = frame.each(
    checked(tradesMessage, message).data,
    (item) => {
      const trade = checked(tradeItem, item)
      const symbol = fromFinnhub(trade.s)
      if (symbol !== undefined && trade.v !== 0)
        return [{ kind: 'print', symbol, id: 0, price: trade.p, size: trade.v, eventTimeMs: trade.t }]
      skippedCount++
      return []
    },
    (item) => ({ type: 'trade', data: [item] }),
  )
  if (skippedCount > 0) skipped(skippedCount)
  // Nothing numbers them but their order, and within a frame they come in any.
  return events.sort((a, b) => timeOf(a) - timeOf(b))
}

const timeOf = (event: StreamEvent): number => (event.kind === 'print' ? event.eventTimeMs : 0)

function socketError(message: Message, receivedAtMs: number): VendorError {
  const sentence = typeof message.msg === 'string' ? message.msg.slice(0, 200) : 'an error without a message'
  const said = `${title} says on its socket: ${sentence}`
  // Of one subscription; those before it stand.
  if (/symbol/i.test(sentence)) return new VendorError('VENDOR_UNKNOWN', said)
  if (/key|token|auth/i.test(sentence)) return new VendorError('VENDOR_REFUSED', said)
  // Another connection of the same key, or too many messages: whoever comes back at once is cut off again.
  if (/connection|limit|too many/i.test(sentence))
    return new VendorError('VENDOR_LIMIT', said, { retryAtMs: receivedAtMs + LIMITED_MS })
  return new VendorError('VENDOR_ANSWER', said)
}
