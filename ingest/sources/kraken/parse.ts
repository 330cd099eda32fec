import { z } from 'zod'
import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import { pairOf } from '../../../domain/currencies.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import { checked, type JsonFrame, type Message, readMessages } from '../../streaming/json-messages.ts'
import type { HistoryPage, Print, StreamEvent } from '../../streaming/stream-protocol.ts'
import { VendorError } from '../../vendor-error.ts'
import type { BarsAsked } from '../../venue-source.ts'

export const NAME = 'kraken'
const { title, licence } = VENDORS[NAME]

/** Its HTTP side has names of its own for two coins. */
const HTTP_NAMES: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' }

/** `BTC-USD` is `BTC/USD` on the socket. */
export const toSocket = (symbol: string): string => symbol.replace('-', '/')
const fromSocket = (symbol: string): string => symbol.replace('/', '-')

/** `BTC-USD` is `XBTUSD` over HTTP. */
export function toHttp(symbol: string): string {
  const { base, quote } = pairOf(symbol) ?? { base: symbol, quote: '' }
  return (HTTP_NAMES[base] ?? base) + (HTTP_NAMES[quote] ?? quote)
}

const trade = z.object({
  symbol: z.string(),
  price: z.number(),
  qty: z.number(),
  trade_id: z.int(),
  timestamp: rfc3339Ms,
})
const trades = z.object({ data: z.array(z.unknown()) })
const acknowledged = z.object({
  success: z.boolean(),
  error: z.string().optional(),
  symbol: z.string().optional(),
  result: z.object({ symbol: z.string().optional() }).optional(),
})

/** @throws VendorError VENDOR_ANSWER where the frame is no JSON */
export const readFrame = (frame: Buffer): readonly StreamEvent[] =>
  readMessages(title, frame, (message, all) => {
    if (message.method === 'subscribe') return [acknowledgementOf(message)]
    if (message.channel === 'heartbeat') return [{ kind: 'heartbeat' }]
    if (message.channel === 'trade') return tradesOf(message, all)
    if (typeof message.error === 'string') return [complaintOf(message.error)]
    return []
  })

/** In the order of their numbers: the last fifty that come first are in whatever order. */
function tradesOf(message: Message, frame: JsonFrame): readonly StreamEvent[] {
  const events = frame.each(
    checked(trades, message).data,
    (item) => {
      const { symbol, price, qty, trade_id, timestamp } = checked(trade, item)
      return [{ kind: 'print', symbol: fromSocket(symbol), id: trade_id, price, size: qty, eventTimeMs: timestamp }]
    },
    (item) => ({ channel: 'trade', data: [item] }),
  )
  const prints = events.filter((event): event is Print => event.kind === 'print')
  return [...prints.toSorted((a, b) => a.id - b.id), ...events.filter(({ kind }) => kind !== 'print')]
}

function acknowledgementOf(message: Message): StreamEvent {
  const { success, error = 'no reason given', symbol, result } = checked(acknowledged, message)
  if (success) return { kind: 'ready' }
  const about = symbol ?? result?.symbol ?? /^Currency pair not supported (\S+)/.exec(error)?.[1]
  return about === undefined ? complaintOf(error) : { kind: 'unknown', symbol: fromSocket(about), reason: error }
}

const complaintOf = (said: string): StreamEvent => ({
  kind: 'error',
  error: /rate limit/i.test(said)
    ? new VendorError('VENDOR_LIMIT', `${title}: ${said}`)
    : new VendorError('VENDOR_ANSWER', `${title}: ${said}`),
})

const whole = z.object({ error: z.array(z.string()), result: z.record(z.string(), z.unknown()).optional() })

/** The one list of the answer, under whatever name of the pair, and `last`. @throws VendorError */
function resultOf(body: Buffer): { answer: JsonAnswer; where: string; rows: readonly unknown[]; last: unknown } {
  const answer = new JsonAnswer(title, body)
  const { error, result = {} } = answer.as(whole)
  const [said] = error
  if (said !== undefined) throw errorOf(said, body)
  const [where, rows] = Object.entries(result).find(([key]) => key !== 'last') ?? ['', undefined]
  if (!Array.isArray(rows)) throw answer.problem('the answer holds no list')
  return { answer, where, rows, last: result.last }
}

/** With HTTP status 200: `EQuery:Unknown asset pair`. */
function errorOf(said: string, original: Buffer): VendorError {
  const sentence = `${title}: ${said}`
  if (/Unknown asset pair/i.test(said)) return new VendorError('VENDOR_UNKNOWN', sentence, { original })
  if (/Too many requests|Rate limit|Throttled/i.test(said))
    return new VendorError('VENDOR_LIMIT', sentence, { original })
  if (/^EService|Temporary lockout|Internal error/i.test(said))
    return new VendorError('VENDOR_UNAVAILABLE', sentence, { original })
  return new VendorError('VENDOR_ANSWER', sentence, { original })
}

const decimal = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'expected a number as a text')
  .transform(Number)

/** `[price, volume, seconds, side, type, text, trade id]` */
const tradeRow = z.tuple([decimal, decimal, z.number(), z.string(), z.string(), z.string(), z.int()]).rest(z.unknown())

export interface TradesPage extends HistoryPage {
  /** What to ask for next, in nanoseconds. */
  readonly last: string | undefined
}

/** `/0/public/Trades`, oldest first. @throws VendorError */
export function parseTrades(body: Buffer): TradesPage {
  const { answer, where, rows, last } = resultOf(body)
  const { facts: prints, rejects } = answer.items(rows, {
    where,
    schema: tradeRow,
    alone: (item) => ({ error: [], result: { [where]: [item], last } }),
    read: ([price, size, seconds, _side, _type, _text, id], original) => ({
      id,
      price,
      size,
      eventTimeMs: Math.floor(seconds * 1_000),
      original,
    }),
  })
  return { prints, rejects, last: typeof last === 'string' && /^\d+$/.test(last) ? last : undefined }
}

/** `[seconds, open, high, low, close, volume-weighted price, volume, count]` */
const barRow = z.tuple([z.int(), decimal, decimal, decimal, decimal, decimal, decimal, z.int()]).rest(z.unknown())

/** `/0/public/OHLC`; the last row, which is still being made, is left out. @throws VendorError */
export function parseOhlc(body: Buffer, asked: BarsAsked, receivedAtMs: number): ItemsRead<HistoricalBar> {
  const { answer, where, rows, last } = resultOf(body)
  return answer.items(rows, {
    where,
    schema: barRow,
    alone: (item) => ({ error: [], result: { [where]: [item], last } }),
    read: ([seconds, open, high, low, close, _vwap, volume, trades]) => {
      const startMs = seconds * 1_000
      // Nothing was traded: it repeats the price before.
      if (trades === 0 || startMs + BAR_INTERVAL_MS[asked.interval] > receivedAtMs) return undefined
      const prices = { open, high, low, close, volume, trades }
      return historicalBar({ ...asked, startMs, ...prices, source: NAME, licence, ingestTimeMs: receivedAtMs })
    },
  })
}
