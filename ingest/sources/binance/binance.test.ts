import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { historicalBar } from '../../../domain/historical-bar.ts'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import { binanceHistory, binanceStream } from './binance.ts'
import { errorOfAnswer, parseAggregates, parseKlines } from './parse.ts'

const NOW_MS = Date.parse('2026-11-20T15:05:10Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const never = new AbortController().signal
const noHistory = binanceHistory(toldHttp(() => Buffer.from('[]'), Date.now))
const stream = (symbols: readonly string[] = ['BTC-USDT']) => binanceStream('wss://x', symbols, noHistory)
const read = (frame: Buffer | string) => stream().converse().read(Buffer.from(frame), NOW_MS)

test('Subscriptions are sliced, because a message may not be endless', () => {
  const many = Array.from({ length: 60 }, (_, i) => `C${i}-USDT`)
  const frames = stream(many)
    .converse()
    .opening()
    .map((frame) => JSON.parse(frame))
  expect(frames.map(({ method, params, id }) => [method, params.length, id])).toEqual([
    ['SUBSCRIBE', 50, 1],
    ['SUBSCRIBE', 10, 2],
  ])
  expect(frames[0].params[0]).toBe('c0usdt@aggTrade')
})

test('A connection is changed before its day is over, without a gap', () => {
  expect(stream().limits).toMatchObject({ lifeMsMax: 86_400_000, overlap: true })
})

test.each([
  [['BTC-USDT', 'XYZ-USDT'], 60_000],
  [['XYZ-USDT'], undefined],
])('%j may be without a print for %s ms', (symbols, limitMs) => {
  expect(stream(symbols).limits.silence.printsMs?.(NOW_MS)).toBe(limitMs)
})

describe('A frame of Binance', () => {
  test('with an aggregate trade is a print, numbered by the aggregate', () => {
    const print = {
      kind: 'print',
      symbol: 'BTC-USDT',
      id: 26_129,
      price: 90_123.1,
      size: 0.01,
      eventTimeMs: 1_795_187_045_135,
    }
    expect(read(payload('frame-trade'))).toEqual([print])
    expect(read(JSON.stringify(JSON.parse(payload('frame-trade').toString()).data))).toEqual([print])
  })

  test('of a pair that was not asked for says nothing', () => {
    expect(read(payload('frame-trade').toString().replace('"BTCUSDT"', '"ETHUSDT"'))).toEqual([])
  })

  test('that acknowledges is the beginning', () => {
    expect(read('{"result":null,"id":1}')).toEqual([{ kind: 'ready' }])
  })

  test('that announces a shutdown calls for another connection', () => {
    expect(read('{"e":"serverShutdown","E":1795187045136}')).toMatchObject([{ kind: 'leaving' }])
  })

  test.each([payload('frame-error').toString(), '{"code":2,"msg":"Invalid request: unknown variant"}'])(
    'that complains is an error: %s',
    (frame) => {
      expect(read(frame)).toMatchObject([
        { kind: 'error', error: { code: 'VENDOR_ANSWER', message: 'Binance: Invalid request: unknown variant (2)' } },
      ])
    },
  )

  test.each(['frame-trade', 'frame-error'])('however mangled (%s) breaks no promise', (name) => {
    expectFramePromises(payload(name), () => stream().converse(), NOW_MS)
  })
})

describe('The history of trades', () => {
  const page = (...ids: number[]) => Buffer.from(JSON.stringify(ids.map((a) => ({ a, p: '1', q: '1', T: a }))))

  async function idsOf(pages: Buffer[], beforeId: number | undefined) {
    const http = toldHttp(
      () => pages.shift() ?? page(),
      () => NOW_MS,
    )
    const ids: number[] = []
    const hole = { symbol: 'BTC-USDT', after: { id: 4, eventTimeMs: 0 }, beforeId }
    for await (const { prints } of binanceHistory(http).prints(hole, never)) ids.push(...prints.map(({ id }) => id))
    return { ids, asked: http.asked.map(({ query }) => `${query?.symbol} ${query?.fromId}`) }
  }

  test('is read from the first that is missing to the end of the hole, and no further', async () => {
    expect(await idsOf([page(5, 6), page(7, 8), page(9)], 9)).toEqual({
      ids: [5, 6, 7, 8],
      asked: ['BTCUSDT 5', 'BTCUSDT 7'],
    })
  })

  test('ends where there is nothing newer', async () => {
    expect(await idsOf([page(5, 6)], undefined)).toMatchObject({ ids: [5, 6], asked: ['BTCUSDT 5', 'BTCUSDT 7'] })
    expect(await idsOf([page(3, 4)], undefined)).toMatchObject({ asked: ['BTCUSDT 5'] })
  })

  test('however mangled breaks no promise', () => {
    const parse = (body: Buffer) => {
      const { prints, rejects } = parseAggregates(body)
      return { facts: prints, rejects }
    }
    expect(parse(payload('aggregates'))).toMatchObject({
      facts: [{ id: 26_129 }, { id: 26_130, size: 1.5 }],
      rejects: [],
    })
    expectParserPromises(payload('aggregates'), parse, (print) => print)
  })
})

describe('Bars', () => {
  const asked = { symbol: 'BTC-USDT', interval: '1m' } as const

  test('are told, but for those of nothing and the one that is still being made', () => {
    const { facts, rejects } = parseKlines(payload('klines'), asked, 1_795_187_110_000)
    expect(rejects).toEqual([])
    expect(facts).toMatchObject([
      { startMs: 1_795_186_980_000, open: 90_100, high: 90_125.5, low: 90_090.1, close: 90_123.1, trades: 42 },
    ])
  })

  test('however mangled break no promise', () => {
    expectParserPromises(payload('klines'), (body) => parseKlines(body, asked, NOW_MS), historicalBar)
  })
})

describe('An error', () => {
  const answer = (status: number, body: string) => ({
    status,
    headers: {},
    body: Buffer.from(body),
    receivedAtMs: NOW_MS,
  })

  test.each([
    [-1121, 'VENDOR_UNKNOWN'],
    [-1003, 'VENDOR_LIMIT'],
    [-1001, 'VENDOR_UNAVAILABLE'],
    [-1100, 'VENDOR_ANSWER'],
  ])('%i is %s, whatever the status', (code, as) => {
    const body = JSON.stringify({ code, msg: 'says Binance.' })
    expect(errorOfAnswer(answer(400, body))).toMatchObject({ code: as, message: `Binance: says Binance. (${code})` })
    expect(() => parseAggregates(Buffer.from(body))).toThrow(expect.objectContaining({ code: as }))
  })

  test('that is no JSON, a limit or a ban is what its status says', () => {
    expect(errorOfAnswer(answer(502, '<html>'))).toBeUndefined()
    expect(errorOfAnswer(answer(418, '{"code":-1003,"msg":"banned"}'))).toBeUndefined()
  })
})
