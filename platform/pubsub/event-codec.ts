import { article } from '../../domain/article.ts'
import { BAR_INTERVAL_MS, type Bar, type BarInterval } from '../../domain/bar.ts'
import { dataQuality } from '../../domain/data-quality.ts'
import { isPlatformError, PlatformError } from '../../domain/errors.ts'
import { observation } from '../../domain/observation.ts'
import { quoteSnapshot } from '../../domain/quote-snapshot.ts'
import { type Tick, tick } from '../../domain/tick.ts'
import type { Channels, TickUpdate } from './pubsub.ts'

/**
 * Events between processes: JSON arrays by position, less than half the bytes of objects. The first element is the version of
 * the layout, so that during an update old and new processes drop each other's events instead of misreading them.
 *
 *     tick  [1, symbol, skipped, sources, [[price, size, eventTimeMs, ingestTimeMs, seq, position, source index], …]]
 *     bar   [1, symbol, interval, startMs, open, high, low, close, volume, trades, closed]
 *
 * Facts that are told now and then travel as they are, `[1, { … }]`.
 */
const VERSION = 1

interface Codec<T> {
  encode(event: T): unknown[]
  decode(fields: readonly unknown[]): T
}

const TICK_FIELDS = 7

const tickUpdate: Codec<TickUpdate> = {
  encode({ ticks, skipped }) {
    const symbol = ticks[0]?.symbol ?? ''
    const sources: string[] = []
    const rows = ticks.map((one) => {
      if (one.symbol !== symbol)
        throw new PlatformError('INVALID_ARGUMENT', `A tick update is about one symbol, was ${symbol}, ${one.symbol}`)
      let source = sources.indexOf(one.source)
      if (source < 0) source = sources.push(one.source) - 1
      return [one.price, one.size, one.eventTimeMs, one.ingestTimeMs, one.seq, one.position, source]
    })
    return [symbol, skipped, sources, rows]
  },
  decode([symbol, skipped, sources, rows]) {
    const names = list(sources).map(text)
    const ticks = list(rows).map((row): Tick => {
      const [price, size, eventTimeMs, ingestTimeMs, seq, position, source] = numbers(row, TICK_FIELDS)
      return tick({
        symbol: text(symbol),
        price,
        size,
        eventTimeMs,
        ingestTimeMs,
        seq,
        source: text(names[source]),
        position,
      })
    })
    return { ticks, skipped: number(skipped) }
  },
}

const bar: Codec<Bar> = {
  encode: (one) => [
    one.symbol,
    one.interval,
    one.startMs,
    one.open,
    one.high,
    one.low,
    one.close,
    one.volume,
    one.trades,
    one.closed,
  ],
  decode([symbol, interval, ...rest]) {
    const [startMs, open, high, low, close, volume, trades] = numbers(rest.slice(0, 7), 7)
    const closed = rest[7]
    if (typeof closed !== 'boolean') throw expected('true or false', closed)
    const name = text(interval)
    if (!isInterval(name)) throw expected('a bar interval', name)
    return { symbol: text(symbol), interval: name, startMs, open, high, low, close, volume, trades, closed }
  },
}

/** `make` is the only way to make such a fact, so nothing else can come out. */
const fact = <T extends object>(make: (fields: T) => T): Codec<T> => ({
  encode: (event) => [event],
  decode([fields]) {
    try {
      return make(fields as T)
    } catch (cause) {
      // Fields that are not even of the right type.
      throw isPlatformError(cause) ? cause : expected('a fact', fields)
    }
  },
})

const CODECS: { readonly [C in keyof Channels]: Codec<Channels[C]> } = {
  tick: tickUpdate,
  bar,
  article: fact(article),
  observation: fact(observation),
  quote: fact(quoteSnapshot),
  dataQuality: fact(dataQuality),
}

export const encodeEvent = <C extends keyof Channels>(channel: C, event: Channels[C]): string =>
  JSON.stringify([VERSION, ...CODECS[channel].encode(event)])

/** @throws UNDECODABLE_EVENT or INVALID_EVENT where the text is not an event of the channel. */
export function decodeEvent<C extends keyof Channels>(channel: C, message: string): Channels[C] {
  let parsed: unknown
  try {
    parsed = JSON.parse(message)
  } catch (cause) {
    throw new PlatformError('UNDECODABLE_EVENT', `Expected JSON on channel ${channel}, was ${message.slice(0, 50)}`, {
      cause,
    })
  }
  const [version, ...fields] = list(parsed)
  if (version !== VERSION) throw expected(`layout version ${VERSION}`, version)
  return CODECS[channel].decode(fields)
}

const isInterval = (name: string): name is BarInterval => Object.hasOwn(BAR_INTERVAL_MS, name)

const expected = (what: string, was: unknown) =>
  new PlatformError('UNDECODABLE_EVENT', `Expected ${what}, was ${String(JSON.stringify(was)).slice(0, 50)}`)

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw expected('a list', value)
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw expected('a text', value)
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw expected('a number', value)
  return value
}

function numbers(row: unknown, count: number): readonly number[] {
  const values = list(row)
  if (values.length !== count) throw expected(`${count} numbers`, row)
  return values.map(number)
}
