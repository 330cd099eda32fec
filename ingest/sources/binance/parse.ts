import { z } from 'zod'
import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import type { VendorResponse } from '../../resilience/vendor-http.ts'
import { checked, type Message, readMessages } from '../../streaming/json-messages.ts'
import type { HistoryPage, StreamEvent } from '../../streaming/stream-protocol.ts'
import { VendorError } from '../../vendor-error.ts'
import type { BarsAsked } from '../../venue-source.ts'

export const NAME = 'binance'
const { title, licence } = VENDORS[NAME]

/** `BTC-USDT` is `BTCUSDT`. */
export const toBinance = (symbol: string): string => symbol.replace('-', '')

const decimal = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'expected a number as a text')
  .transform(Number)

/** Trades that one order made at one price, as one: `a` counts them without a hole, where trades by themselves cannot be asked for without a key. */
const aggregate = z.object({ s: z.string(), a: z.int(), p: decimal, q: decimal, T: z.int() })
const failure = z.object({ code: z.number(), msg: z.string() })

export type SymbolOf = (name: string) => string | undefined

/** @throws VendorError VENDOR_ANSWER where the frame is no JSON */
export const readFrame = (frame: Buffer, symbolOf: SymbolOf): readonly StreamEvent[] =>
  readMessages(title, frame, (message) => {
    const told = isMessage(message.data) ? message.data : message
    if (told.e === 'aggTrade') return printsOf(told, symbolOf)
    if (told.e === 'serverShutdown') return [{ kind: 'leaving', reason: 'it said that it shuts down' }]
    if (told.code !== undefined || told.error !== undefined) return [problemOf(told)]
    if (told.id !== undefined && told.result === null) return [{ kind: 'ready' }]
    return []
  })

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function printsOf(message: Message, symbolOf: SymbolOf): readonly StreamEvent[] {
  const { s, a: id, p: price, q: size, T: eventTimeMs } = checked(aggregate, message)
  const symbol = symbolOf(s)
  return symbol === undefined ? [] : [{ kind: 'print', symbol, id, price, size, eventTimeMs }]
}

/** `{"code":2,"msg":"…"}`, alone or under `error`. */
function problemOf(message: Message): StreamEvent {
  const { code, msg } = checked(failure, isMessage(message.error) ? message.error : message)
  return { kind: 'error', error: errorOf(code, msg) }
}

function errorOf(code: number, msg: string, original?: Buffer): VendorError {
  const sentence = `${title}: ${msg} (${code})`
  // -1121: invalid symbol. -1003: too many requests. -1001, -1000, -1007: disconnected, unknown, timeout.
  if (code === -1121) return new VendorError('VENDOR_UNKNOWN', sentence, { original })
  if (code === -1003) return new VendorError('VENDOR_LIMIT', sentence, { original })
  if (code === -1001 || code === -1000 || code === -1007)
    return new VendorError('VENDOR_UNAVAILABLE', sentence, { original })
  return new VendorError('VENDOR_ANSWER', sentence, { original })
}

/** Of an answer that is not 2xx; undefined where only its status says something. */
export function errorOfAnswer({ status, body }: VendorResponse): VendorError | undefined {
  // 418: to who went on after 429. Until when is in Retry-After, which is read where every vendor's is.
  if (status === 429 || status === 418 || status === 451) return undefined
  const said = failure.safeParse(jsonOf(body))
  return said.success ? errorOf(said.data.code, said.data.msg, body) : undefined
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // No JSON is no error form of Binance's: the status says it all.
    return undefined
  }
}

/** A list; where it is `{code, msg}`, which also came with status 200, the error that this is. @throws VendorError */
function rowsOf(body: Buffer): { answer: JsonAnswer; rows: readonly unknown[] } {
  const answer = new JsonAnswer(title, body)
  const said = failure.safeParse(answer.value)
  if (said.success) throw errorOf(said.data.code, said.data.msg, body)
  return { answer, rows: answer.as(z.array(z.unknown())) }
}

const aggregateRow = aggregate.omit({ s: true })

/** `/api/v3/aggTrades`, oldest first. @throws VendorError */
export function parseAggregates(body: Buffer): HistoryPage {
  const { answer, rows } = rowsOf(body)
  const { facts: prints, rejects } = answer.items(rows, {
    where: 'aggTrades',
    schema: aggregateRow,
    alone: (item) => [item],
    read: ({ a: id, p: price, q: size, T: eventTimeMs }, original) => ({ id, price, size, eventTimeMs, original }),
  })
  return { prints, rejects }
}

/** `[opened, open, high, low, close, volume, closed, quote volume, count, …]` */
const kline = z
  .tuple([z.int(), decimal, decimal, decimal, decimal, decimal, z.int(), decimal, z.int()])
  .rest(z.unknown())

/** `/api/v3/klines`, oldest first; the last one, which is still being made, is left out. @throws VendorError */
export function parseKlines(body: Buffer, asked: BarsAsked, receivedAtMs: number): ItemsRead<HistoricalBar> {
  const { answer, rows } = rowsOf(body)
  return answer.items(rows, {
    where: 'klines',
    schema: kline,
    alone: (item) => [item],
    read: ([startMs, open, high, low, close, volume, _closedMs, _quoteVolume, trades]) => {
      // Nothing was traded: it repeats the price before.
      if (trades === 0 || startMs + BAR_INTERVAL_MS[asked.interval] > receivedAtMs) return undefined
      const prices = { open, high, low, close, volume, trades }
      return historicalBar({ ...asked, startMs, ...prices, source: NAME, licence, ingestTimeMs: receivedAtMs })
    },
  })
}
