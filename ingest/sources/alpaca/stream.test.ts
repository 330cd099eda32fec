import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { AlpacaClient } from './client.ts'
import { alpacaNews, alpacaTrades } from './stream.ts'
import { alpacaHistory } from './trade-history.ts'

const NOW_MS = Date.parse('2026-11-20T22:00:30Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))
const key = { id: 'PKTEST', secret: 'hidden' }
const tradesOnce = ({ query }: VendorRequest) =>
  query?.page_token ? Buffer.from('{"trades":{},"next_page_token":null}') : payload('trades')
const http = toldHttp(tradesOnce, () => NOW_MS)
const history = alpacaHistory(new AlpacaClient(http, () => undefined))

function talk(symbols: readonly string[] = ['AAPL', 'MSFT', 'TSLA']) {
  const conversation = alpacaTrades({ url: 'wss://example.com', key, symbols, history }).converse()
  return {
    conversation,
    hear: (name: string) => conversation.read(payload(name), NOW_MS),
    error: (code: number, msg = 'something') =>
      conversation.read(Buffer.from(JSON.stringify([{ T: 'error', code, msg }])), NOW_MS),
  }
}

describe('the handshake', () => {
  test('goes step by step, each at the word of Alpaca', () => {
    const { conversation, hear } = talk()
    expect(conversation.opening()).toEqual([])
    expect(hear('frame-connected')).toEqual([
      { kind: 'send', frame: '{"action":"auth","key":"PKTEST","secret":"hidden"}' },
    ])
    expect(hear('frame-authenticated')).toEqual([
      { kind: 'send', frame: '{"action":"subscribe","trades":["AAPL","MSFT","TSLA"]}' },
    ])
    expect(hear('frame-subscription')).toEqual([{ kind: 'ready' }])
    expect(hear('frame-subscription')).toEqual([])
  })

  test('of news asks for all of it', () => {
    const conversation = alpacaNews({ url: 'wss://example.com', key, symbols: ['AAPL'] }).converse()
    expect(conversation.read(payload('frame-authenticated'), NOW_MS)).toEqual([
      { kind: 'send', frame: '{"action":"subscribe","news":["*"]}' },
    ])
  })

  test('asks for half of the symbols where the plan does not allow all, and says which it left', () => {
    const { error } = talk()
    expect(error(405, 'symbol limit exceeded')).toEqual([
      { kind: 'unknown', symbol: 'TSLA', reason: 'Alpaca allows this key fewer than 3 symbols' },
      { kind: 'send', frame: '{"action":"subscribe","trades":["AAPL","MSFT"]}' },
    ])
  })
})

test('a trade has the same name and time over the socket as over HTTP', async () => {
  const streamed = talk()
    .hear('frame-messages')
    .flatMap((event) => (event.kind === 'print' ? [`${event.symbol} ${event.key} ${event.eventTimeMs}`] : []))
  const asked: string[] = []
  for await (const { prints } of history.prints(['AAPL', 'SPY'], NOW_MS, new AbortController().signal))
    asked.push(...prints.map((print) => `${print.symbol} ${print.key} ${print.eventTimeMs}`))
  expect(asked).toEqual([...streamed, `SPY V52983997229884 ${Date.parse('2026-11-20T15:04:06.5Z')}`])
})

test('a trade is told at its millisecond, a correction and a cancel as what they are, and other kinds not at all', () => {
  const events = talk().hear('frame-messages')
  expect(events.slice(0, 2)).toEqual([
    {
      kind: 'print',
      symbol: 'AAPL',
      id: 0,
      key: 'V52983525',
      price: 253.41,
      size: 100,
      eventTimeMs: Date.parse('2026-11-20T15:04:05.123Z'),
    },
    {
      kind: 'print',
      symbol: 'AAPL',
      id: 0,
      key: 'V52983527',
      price: 253.42,
      size: 7,
      eventTimeMs: Date.parse('2026-11-20T15:04:05.123Z'),
    },
  ])
  expect(events.slice(2)).toMatchObject([
    {
      kind: 'fact',
      fact: {
        topic: 'data-quality',
        event: { kind: 'CORRECTION', detail: 'AAPL: a trade of 100 at 253.41 was corrected to 100 at 253.14' },
      },
    },
    { kind: 'fact', fact: { event: { kind: 'CORRECTION', detail: 'AAPL: a trade of 7 at 253.42 was taken back' } } },
  ])
})

test('news is an article', () => {
  expect(talk().hear('frame-news')).toMatchObject([
    { kind: 'fact', fact: { topic: 'news-data', event: { id: 'alpaca:24918784', symbols: ['CRSR'] } } },
  ])
})

describe('its errors', () => {
  test.each([
    [400, 'VENDOR_ANSWER'],
    [401, 'VENDOR_UNAVAILABLE'],
    [402, 'VENDOR_REFUSED'],
    [404, 'VENDOR_UNAVAILABLE'],
    [406, 'VENDOR_LIMIT'],
    [407, 'VENDOR_UNAVAILABLE'],
    [409, 'VENDOR_REFUSED'],
    [500, 'VENDOR_UNAVAILABLE'],
  ])('%i is %s', (code, meaning) => {
    expect(talk().error(code)).toMatchObject([{ kind: 'error', error: { code: meaning } }])
  })

  test('of too many connections keep us away for five seconds', () => {
    expect(talk().error(406)).toMatchObject([{ kind: 'error', error: { retryAtMs: NOW_MS + 5_000 } }])
  })

  test('of being let in already mean nothing', () => {
    expect(talk().error(403)).toEqual([])
  })
})

test('no frame, however mangled, yields anything invalid', () => {
  for (const name of ['frame-messages', 'frame-news', 'frame-connected', 'frame-subscription', 'frame-error'])
    expectFramePromises(payload(name), () => talk().conversation, NOW_MS)
})
