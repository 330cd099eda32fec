import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import { coinbaseHistory, coinbaseStream } from './coinbase.ts'
import { parseCandles, parseTrades, readFrame } from './parse.ts'

const NOW_MS = Date.parse('2026-11-20T23:29:00Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const never = new AbortController().signal

describe('A frame of Coinbase', () => {
  test('with a match is a print, numbered by its trade id', () => {
    expect(readFrame(payload('frame-match'))).toEqual([
      {
        kind: 'print',
        symbol: 'BTC-USD',
        id: 10,
        price: 90_123.45,
        size: 0.01,
        eventTimeMs: Date.parse('2026-11-20T23:28:22.061Z'),
      },
    ])
  })

  test('with the last match before the subscription is one too', () => {
    const frame = payload('frame-match').toString().replace('"match"', '"last_match"')
    expect(readFrame(Buffer.from(frame))).toMatchObject([{ kind: 'print', id: 10 }])
  })

  test('with a heartbeat says which trade is the newest', () => {
    expect(readFrame(payload('frame-heartbeat'))).toEqual([{ kind: 'heartbeat', symbol: 'BTC-USD', lastId: 20 }])
  })

  test('that refuses a product says which', () => {
    expect(readFrame(payload('frame-error'))).toEqual([
      { kind: 'unknown', symbol: 'BTC-XXX', reason: 'BTC-XXX is not a valid product' },
    ])
  })

  test('of a kind that did not exist when this was written says nothing', () => {
    expect(readFrame(Buffer.from('{"type":"brand_new","trade_id":"?"}'))).toEqual([])
  })

  test('with a match that is none is put aside', () => {
    const frame = payload('frame-match').toString().replace('"90123.45"', '"n/a"')
    expect(readFrame(Buffer.from(frame))).toMatchObject([
      { kind: 'reject', reason: 'Coinbase Exchange: price: expected a number as a text' },
    ])
  })

  test.each(['frame-match', 'frame-heartbeat', 'frame-error'])('however mangled (%s) breaks no promise', (name) => {
    const history = coinbaseHistory(toldHttp(() => Buffer.from('[]'), Date.now))
    expectFramePromises(payload(name), () => coinbaseStream('wss://x', ['BTC-USD'], history).converse(), NOW_MS)
  })
})

test('Each product has a subscription of its own, so that one that does not exist costs no other', () => {
  const history = coinbaseHistory(toldHttp(() => Buffer.from('[]'), Date.now))
  expect(coinbaseStream('wss://x', ['BTC-USD', 'BTC-XXX'], history).converse().opening()).toEqual([
    '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches","heartbeat"]}',
    '{"type":"subscribe","product_ids":["BTC-XXX"],"channels":["matches","heartbeat"]}',
  ])
})

describe('The history of trades', () => {
  const page = (...ids: number[]) =>
    Buffer.from(
      JSON.stringify(ids.map((trade_id) => ({ trade_id, size: '1', price: '2', time: '2026-11-20T23:28:22Z' }))),
    )
  const hole = (after: number, beforeId?: number) => ({
    symbol: 'BTC-USD',
    after: { id: after, eventTimeMs: 0 },
    beforeId,
  })

  async function idsOf(pages: Buffer[], asked: ReturnType<typeof hole>) {
    const http = toldHttp(
      () => pages.shift() ?? page(),
      () => NOW_MS,
    )
    const ids: number[] = []
    for await (const { prints } of coinbaseHistory(http).prints(asked, never)) ids.push(...prints.map(({ id }) => id))
    return { ids, asked: http.asked.map(({ path, query }) => `${path} ${query?.after ?? 'newest'}`) }
  }

  test('is read page by page backwards from the end of the hole to its beginning, and no further', async () => {
    expect(await idsOf([page(9, 8, 7), page(6, 5, 4), page(3)], hole(4, 10))).toEqual({
      ids: [9, 8, 7, 6, 5, 4],
      asked: ['/products/BTC-USD/trades 10', '/products/BTC-USD/trades 7'],
    })
  })

  test('is read from the newest where nobody knows the end', async () => {
    expect(await idsOf([page(9, 8), page(7, 6)], hole(5))).toMatchObject({
      ids: [9, 8, 7, 6],
      asked: ['/products/BTC-USD/trades newest', '/products/BTC-USD/trades 8'],
    })
  })

  test('ends where the venue has no more, or says the same again', async () => {
    expect(await idsOf([page(9)], hole(4, 10))).toMatchObject({ ids: [9] })
    expect(await idsOf([page(9, 8), page(9, 8), page(9, 8)], hole(4, 10))).toMatchObject({ ids: [9, 8, 9, 8] })
  })

  test('puts aside what is no trade', () => {
    const mangled = payload('trades').toString().replace('"0.50000000"', '0.5')
    const { prints, rejects } = parseTrades(Buffer.from(mangled))
    expect(prints).toMatchObject([{ id: 11, price: 90_124.1, size: 0.0012 }])
    expect(rejects).toMatchObject([{ reason: expect.stringContaining('trades[0]: size') }])
  })

  test('however mangled breaks no promise', () => {
    const parse = (body: Buffer) => {
      const { prints, rejects } = parseTrades(body)
      return { facts: prints, rejects }
    }
    expectParserPromises(payload('trades'), parse, (print) => print)
  })
})

describe('Candles', () => {
  const asked = { symbol: 'BTC-USD', interval: '1m' } as const

  test('are bars, but for the one that is still being made', () => {
    const { facts, rejects } = parseCandles(payload('candles'), asked, 1_795_217_300_000)
    expect(rejects).toEqual([])
    expect(facts).toMatchObject([
      { startMs: 1_795_217_220_000, open: 90_081, high: 90_120.75, low: 90_080, close: 90_110.25, volume: 8.03125 },
      { startMs: 1_795_217_100_000, source: 'coinbase', licence: 'PERSONAL', trades: null },
    ])
  })

  test('however mangled break no promise', () => {
    expectParserPromises(payload('candles'), (body) => parseCandles(body, asked, NOW_MS), historicalBar)
  })
})
