import { z } from 'zod'
import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import { checked, type Message, readMessages } from '../../streaming/json-messages.ts'
import type { HistoryPage, StreamEvent } from '../../streaming/stream-protocol.ts'
import { VendorError } from '../../vendor-error.ts'
import type { BarsAsked } from '../../venue-source.ts'

export const NAME = 'coinbase'
const { title, licence } = VENDORS[NAME]

/** Prices and sizes are told as texts. */
const decimal = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'expected a number as a text')
  .transform(Number)

const match = z.object({ product_id: z.string(), trade_id: z.int(), price: decimal, size: decimal, time: rfc3339Ms })
const heartbeat = z.object({ product_id: z.string(), last_trade_id: z.int() })
const failure = z.object({ message: z.string(), reason: z.string().optional() })
const INVALID_PRODUCT = /^(\S+) is not a valid product/

/** @throws VendorError VENDOR_ANSWER where the frame is no JSON */
export const readFrame = (frame: Buffer): readonly StreamEvent[] =>
  readMessages(title, frame, (message) => {
    switch (message.type) {
      case 'match':
      case 'last_match':
        return [printOf(message)]
      case 'heartbeat':
        return [heartbeatOf(message)]
      case 'subscriptions':
        return [{ kind: 'ready' }]
      case 'error':
        return [problemOf(message)]
      default:
        return []
    }
  })

function printOf(message: Message): StreamEvent {
  const { product_id, trade_id, price, size, time } = checked(match, message)
  return { kind: 'print', symbol: product_id, id: trade_id, price, size, eventTimeMs: time }
}

function heartbeatOf(message: Message): StreamEvent {
  const { product_id, last_trade_id } = checked(heartbeat, message)
  return { kind: 'heartbeat', symbol: product_id, lastId: last_trade_id }
}

function problemOf(message: Message): StreamEvent {
  const { message: what, reason } = checked(failure, message)
  const [, symbol] = INVALID_PRODUCT.exec(reason ?? '') ?? []
  if (symbol !== undefined) return { kind: 'unknown', symbol, reason: reason ?? what }
  return { kind: 'error', error: new VendorError('VENDOR_ANSWER', `${title}: ${what}${reason ? `: ${reason}` : ''}`) }
}

const trade = z.object({ trade_id: z.int(), price: decimal, size: decimal, time: rfc3339Ms })

/** `/products/{id}/trades`, the newest first. @throws VendorError */
export function parseTrades(body: Buffer): HistoryPage {
  const answer = new JsonAnswer(title, body)
  const { facts: prints, rejects } = answer.items(answer.as(z.array(z.unknown())), {
    where: 'trades',
    schema: trade,
    alone: (item) => [item],
    read: ({ trade_id: id, price, size, time: eventTimeMs }, original) => ({ id, price, size, eventTimeMs, original }),
  })
  return { prints, rejects }
}

/** `[time in seconds, low, high, open, close, volume]` */
const candle = z.tuple([z.int(), z.number(), z.number(), z.number(), z.number(), z.number()])

/** `/products/{id}/candles`; the one that is still being made is left out. @throws VendorError */
export function parseCandles(body: Buffer, asked: BarsAsked, receivedAtMs: number): ItemsRead<HistoricalBar> {
  const answer = new JsonAnswer(title, body)
  return answer.items(answer.as(z.array(z.unknown())), {
    where: 'candles',
    schema: candle,
    alone: (item) => [item],
    read: ([seconds, low, high, open, close, volume]) => {
      const startMs = seconds * 1_000
      if (startMs + BAR_INTERVAL_MS[asked.interval] > receivedAtMs) return undefined
      const prices = { open, high, low, close, volume, trades: null }
      return historicalBar({ ...asked, startMs, ...prices, source: NAME, licence, ingestTimeMs: receivedAtMs })
    },
  })
}
