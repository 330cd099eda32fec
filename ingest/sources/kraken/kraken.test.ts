import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import { krakenHistory, krakenStream } from './kraken.ts'
import { parseOhlc, parseTrades, readFrame, toHttp } from './parse.ts'

const NOW_MS = Date.parse('2026-11-20T15:05:10Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const never = new AbortController().signal
const noHistory = krakenHistory(toldHttp(() => Buffer.from('{}'), Date.now))
const stream = (symbols: readonly string[]) => krakenStream('wss://x', symbols, noHistory).converse()

test.each([
  ['BTC-USD', 'XBTUSD'],
  ['ETH-USD', 'ETHUSD'],
  ['DOGE-USD', 'XDGUSD'],
  ['ETH-BTC', 'ETHXBT'],
])('%s is %s over HTTP', (symbol, name) => expect(toHttp(symbol)).toBe(name))

test('All pairs are one subscription, with the last trades of each', () => {
  expect(stream(['BTC-USD', 'ETH-USD']).opening()).toEqual([
    '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/USD"],"snapshot":true}}',
  ])
})

describe('A frame of Kraken', () => {
  test('with trades is their prints in the order of their numbers', () => {
    expect(readFrame(payload('frame-trades'))).toEqual([
      {
        kind: 'print',
        symbol: 'BTC-USD',
        id: 71_234_567,
        price: 90_120.2,
        size: 0.01,
        eventTimeMs: Date.parse('2026-11-20T15:04:05.123Z'),
      },
      expect.objectContaining({ id: 71_234_568, price: 90_121, size: 0.25 }),
    ])
  })

  test('with one trade that is none tells the others and puts that one aside, alone', () => {
    const frame = payload('frame-trades').toString().replace('"qty": 0.01', '"qty": "0.01"')
    const [print, reject] = readFrame(Buffer.from(frame))
    expect(print).toMatchObject({ kind: 'print', id: 71_234_568 })
    expect(reject).toMatchObject({ kind: 'reject', reason: expect.stringContaining('qty') })
    expect(readFrame((reject as { original: Buffer }).original)).toMatchObject([{ kind: 'reject' }])
  })

  test('that acknowledges is the beginning', () => {
    expect(readFrame(payload('frame-subscribed'))).toEqual([{ kind: 'ready' }])
  })

  test('that refuses a pair says which', () => {
    expect(readFrame(payload('frame-refused'))).toMatchObject([{ kind: 'unknown', symbol: 'XXX-USD' }])
  })

  test.each([
    ['{"error":"Exceeded msg rate limit"}', 'VENDOR_LIMIT'],
    ['{"method":"subscribe","success":false,"error":"Malformed request"}', 'VENDOR_ANSWER'],
  ])('that complains is an error: %s', (frame, code) => {
    expect(readFrame(Buffer.from(frame))).toMatchObject([{ kind: 'error', error: { code } }])
  })

  test('with nothing but a heartbeat is a sign of life', () => {
    expect(readFrame(Buffer.from('{"channel":"heartbeat"}'))).toEqual([{ kind: 'heartbeat' }])
  })

  test.each(['frame-trades', 'frame-subscribed', 'frame-refused'])('however mangled (%s) breaks no promise', (name) => {
    expectFramePromises(payload(name), () => stream(['BTC-USD']), NOW_MS)
  })
})

describe('The history of trades', () => {
  const page = (last: string, ...ids: number[]) =>
    Buffer.from(
      JSON.stringify({ error: [], result: { XXBTZUSD: ids.map((id) => ['1', '1', id, 'b', 'm', '', id]), last } }),
    )

  async function idsOf(pages: Buffer[], beforeId: number | undefined) {
    const http = toldHttp(
      () => pages.shift() ?? page('0'),
      () => NOW_MS,
    )
    const ids: number[] = []
    const hole = { symbol: 'BTC-USD', after: { id: 4, eventTimeMs: 4_000 }, beforeId }
    for await (const { prints } of krakenHistory(http).prints(hole, never)) ids.push(...prints.map(({ id }) => id))
    return { ids, asked: http.asked.map(({ query }) => `${query?.pair} ${query?.since}`) }
  }

  test('is read from the time of the last trade before the hole to its end, and no further', async () => {
    expect(await idsOf([page('7000000000', 5, 6, 7), page('9000000000', 8, 9), page('9', 10)], 9)).toEqual({
      ids: [5, 6, 7, 8, 9],
      asked: ['XBTUSD 4000000000', 'XBTUSD 7000000000'],
    })
  })

  test('ends where there is nothing newer', async () => {
    expect(await idsOf([page('7000000000', 5, 6, 7), page('7000000000')], undefined)).toMatchObject({ ids: [5, 6, 7] })
    expect(await idsOf([page('4000000000', 4)], undefined)).toMatchObject({ ids: [4] })
  })

  test('is told as texts and numbers', () => {
    expect(parseTrades(payload('trades'))).toMatchObject({
      prints: [
        { id: 71_234_567, price: 90_120.2, size: 0.01, eventTimeMs: 1_795_187_045_123 },
        { id: 71_234_568, eventTimeMs: 1_795_187_046_000 },
      ],
      rejects: [],
      last: '1795187046000000100',
    })
  })

  test('however mangled breaks no promise', () => {
    const parse = (body: Buffer) => {
      const { prints, rejects } = parseTrades(body)
      return { facts: prints, rejects }
    }
    expectParserPromises(payload('trades'), parse, (print) => print)
  })
})

test.each([
  ['EQuery:Unknown asset pair', 'VENDOR_UNKNOWN'],
  ['EGeneral:Too many requests', 'VENDOR_LIMIT'],
  ['EAPI:Rate limit exceeded', 'VENDOR_LIMIT'],
  ['EService:Unavailable', 'VENDOR_UNAVAILABLE'],
  ['EGeneral:Invalid arguments', 'VENDOR_ANSWER'],
])('"%s" with status 200 is %s', (said, code) => {
  const body = Buffer.from(JSON.stringify({ error: [said] }))
  expect(() => parseTrades(body)).toThrow(expect.objectContaining({ code, message: `Kraken: ${said}` }))
})

describe('Bars', () => {
  const asked = { symbol: 'BTC-USD', interval: '1m' } as const

  test('are told, but for those of nothing and the one that is still being made', () => {
    const { facts, rejects } = parseOhlc(payload('ohlc'), asked, 1_795_187_110_000)
    expect(rejects).toEqual([])
    expect(facts).toMatchObject([
      { startMs: 1_795_186_980_000, open: 90_100, high: 90_125.5, low: 90_090.1, close: 90_120.2, trades: 42 },
    ])
  })

  test('however mangled break no promise', () => {
    expectParserPromises(payload('ohlc'), (body) => parseOhlc(body, asked, NOW_MS), historicalBar)
  })
})
