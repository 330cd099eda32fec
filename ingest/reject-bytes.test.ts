import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ItemReject } from './json-answer.ts'
import { parseBars, parseQuote } from './sources/alpha-vantage/parse.ts'
import { parseNews } from './sources/alpha-vantage/parse-news.ts'
import { parseAggregates } from './sources/binance/parse.ts'
import { parseTrades as parseCoinbaseTrades } from './sources/coinbase/parse.ts'
import { readFinnhubFrame } from './sources/finnhub/stream.ts'
import { parseRates } from './sources/frankfurter/parse.ts'
import { KNOWN_SERIES } from './sources/fred/known-series.ts'
import { parseObservations, reparseObservations } from './sources/fred/parse.ts'
import { parseGraph } from './sources/fred/parse-graph.ts'
import { parseTrades as parseKrakenTrades, readFrame as readKrakenFrame } from './sources/kraken/parse.ts'
import { parseFeed } from './sources/rss/parse.ts'
import { readCompanyTickers } from './sources/sec-edgar/company-tickers.ts'
import { parseQuote as parseTwelveDataQuote } from './sources/twelve-data/parse.ts'
import { parseParYields } from './sources/us-treasury/parse.ts'
import { checked, readMessages } from './streaming/json-messages.ts'
import type { HistoryPage, StreamEvent } from './streaming/stream-protocol.ts'

const NOW_MS = Date.parse('2026-11-23T16:00:00Z')
const [DGS10] = KNOWN_SERIES
const atlantis = { publisher: 'Atlantis', kind: 'NEWS', symbolsIn: () => [], receivedAtMs: NOW_MS } as const

/** What JSON that is read and written again does not keep: digits, order, escapes, spaces, a key that is there twice. */
const ODD = '{ "p":1.10, "b" : 12345678901234567890,"\\u0061":"caf\\u00e9\\/", "b":1E+2 }'
const bars = '"Meta Data":{"2. Symbol":"IBM","4. Interval":"5min","6. Time Zone":"US/Eastern"}'

/** Trades of a history that are read as such, whatever their price. */
const HISTORIES: [name: string, body: string, read: (body: Buffer) => HistoryPage][] = [
  [
    'coinbase',
    `[{"trade_id":7,"price":"0","size":"1.10","time":"2026-11-20T15:00:00Z","odd":${ODD}}]`,
    parseCoinbaseTrades,
  ],
  ['binance', `[{"a":7,"p":"0","q":"1.10","T":1795187045123,"odd":${ODD}}]`, parseAggregates],
  [
    'kraken',
    `{"error":[],"result":{"XBTUSD":[["0","1.10",1795187045.1230,"b","l","",7,${ODD}]],"last":"1795187045"}}`,
    parseKrakenTrades,
  ],
]

/** Holds of no message. */
const nothing = z.never()

type Rejects = readonly Pick<ItemReject, 'original'>[]

const rejectsIn = (events: readonly StreamEvent[]): Rejects =>
  events.flatMap((event) => (event.kind === 'reject' ? [event] : []))

const JSON_PARSERS: [name: string, body: string, parse: (body: Buffer) => Rejects][] = [
  ['a list in an answer', `{"feed":[${ODD}]}`, (body) => parseNews(body, NOW_MS).rejects],
  [
    'an object of an answer',
    `{"Global Quote":${ODD}}`,
    (body) => parseQuote(body, { symbol: 'IBM', unitsPerCurrency: 1 }, NOW_MS).rejects,
  ],
  [
    'an entry of an object',
    `{${bars},"Time Series (5min)":{"2026-11-20 15:55:00":${ODD}}}`,
    (body) => parseBars(body, 'IBM', NOW_MS).rejects,
  ],
  ['a list of companies', `{"0":${ODD}}`, (body) => readCompanyTickers(body).rejects],
  ['an answer that is a list', `[${ODD}]`, (body) => parseRates(body, [], NOW_MS).observations.rejects],
  [
    'an answer that is the item itself',
    `{"symbol":1.0,"odd":${ODD}}`,
    (body) => parseTwelveDataQuote(body, NOW_MS).rejects,
  ],
  [
    'a list with what is known from elsewhere',
    `{"realtime_start":"2026-01-01","count":1,"observations":[${ODD}]}`,
    (body) =>
      (body.includes('"series"') ? reparseObservations(body, NOW_MS) : parseObservations(body, DGS10, NOW_MS)).rejects,
  ],
  [
    'a list in a frame',
    `{"type":"trade","data":[${ODD}]}`,
    (body) => rejectsIn(readFinnhubFrame(body, NOW_MS, () => {})),
  ],
  ['a list in a frame of a venue', `{"channel":"trade","data":[${ODD}]}`, (body) => rejectsIn(readKrakenFrame(body))],
  [
    'a frame that is a list',
    `[{"ev":"T","odd":${ODD}}]`,
    (body) => rejectsIn(readMessages('Somebody', body, (message) => [checked(nothing, message)])),
  ],
]

const BYTE_PARSERS: [name: string, body: Buffer, bytes: Buffer, parse: (body: Buffer) => Rejects][] = [
  [
    'a feed in its own encoding',
    Buffer.from(
      '<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><item><title>caf\xe9 &eacute;</title></item></channel></rss>',
      'latin1',
    ),
    Buffer.from('<item><title>caf\xe9 &eacute;</title></item>', 'latin1'),
    (body) => parseFeed(body, atlantis).rejects,
  ],
  [
    'a feed of days',
    Buffer.from(
      '<feed><entry ><content><m:properties><d:NEW_DATE>soon</d:NEW_DATE></m:properties></content ></entry></feed>',
    ),
    Buffer.from('<entry ><content><m:properties><d:NEW_DATE>soon</d:NEW_DATE></m:properties></content ></entry>'),
    (body) => parseParYields(body, NOW_MS).rejects,
  ],
  [
    'a table',
    Buffer.from('observation_date,DGS10\r\n2026-11-20,\xe9 4.10\r\n', 'latin1'),
    Buffer.from('2026-11-20,\xe9 4.10', 'latin1'),
    (body) => parseGraph(body, DGS10, '2026-11-23', NOW_MS).rejects,
  ],
]

describe('an item that is put aside is in the very bytes that the vendor sent, and can be read again', () => {
  test.each(JSON_PARSERS)('from %s', (_name, body, parse) => {
    const [{ original }] = parse(Buffer.from(body))
    expect(original.toString()).toContain(ODD)
    expect(parse(original)).toMatchObject([{ original }])
  })

  test.each(HISTORIES)('from the history of %s', (_name, body, read) => {
    const [print] = read(Buffer.from(body)).prints
    const original = print?.original() ?? Buffer.of()
    expect(original.toString()).toContain(ODD)
    expect(read(original).prints[0]?.original()).toEqual(original)
  })

  test.each(BYTE_PARSERS)('from %s', (_name, body, bytes, parse) => {
    const [{ original }] = parse(body)
    expect(original.includes(bytes)).toBe(true)
    expect(parse(original)).toMatchObject([{ original }])
  })
})
