import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { toldHttp } from '../../../tests/support/vendors/told-http.ts'
import type { VendorRequest } from '../../resilience/vendor-http.ts'
import { PolygonClient } from './client.ts'
import { polygonTrades } from './stream.ts'
import { polygonHistory } from './trade-history.ts'

const NOW_MS = Date.parse('2026-11-20T20:00:01Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

/** One page of trades, and an empty one where it goes on. */
function vendor() {
  const answer = ({ query }: VendorRequest) => payload(query?.cursor ? 'aggregates-empty' : 'trades')
  const http = toldHttp(answer, () => NOW_MS)
  const history = polygonHistory(new PolygonClient(http))
  const read = async (symbol: string) => {
    const names: string[] = []
    for await (const { prints } of history.prints([symbol], NOW_MS, new AbortController().signal))
      names.push(...prints.map(({ key, eventTimeMs }) => `${key} ${eventTimeMs}`))
    return names
  }
  return { http, history, read }
}

function talk(symbols: readonly string[] = ['AAPL', 'MSFT']) {
  const { history } = vendor()
  const conversation = polygonTrades({ url: 'wss://example.com', key: 'hidden', symbols, history }).converse()
  return {
    conversation,
    hear: (name: string) => conversation.read(payload(name), NOW_MS),
  }
}

describe('the handshake', () => {
  test('goes step by step, each at the word of Polygon', () => {
    const { conversation, hear } = talk()
    expect(conversation.opening()).toEqual([])
    expect(hear('frame-connected')).toEqual([{ kind: 'send', frame: '{"action":"auth","params":"hidden"}' }])
    expect(hear('frame-auth-success')).toEqual([
      { kind: 'send', frame: '{"action":"subscribe","params":"T.AAPL,T.MSFT"}' },
    ])
    expect(hear('frame-subscribed')).toEqual([{ kind: 'ready' }])
    expect(hear('frame-subscribed')).toEqual([])
  })

  test('subscribes in slices', () => {
    const many = Array.from({ length: 250 }, (_, i) => `S${i}`)
    expect(talk(many).hear('frame-auth-success')).toHaveLength(3)
  })

  test('ends where the key is refused', () => {
    expect(talk().hear('frame-auth-failed')).toMatchObject([{ kind: 'error', error: { code: 'VENDOR_REFUSED' } }])
  })
})

describe('trades', () => {
  test('are told at their millisecond, also where their sequence has a hole', () => {
    expect(talk().hear('frame-trades')).toEqual([
      {
        kind: 'print',
        symbol: 'AAPL',
        id: 0,
        key: '4 201 12345',
        price: 253.41,
        size: 100,
        eventTimeMs: 1795204800123,
      },
      { kind: 'print', symbol: 'AAPL', id: 0, key: '11  12346', price: 253.42, size: 5, eventTimeMs: 1795204800130 },
    ])
  })

  test('have the same name and time over the socket as over HTTP', async () => {
    const streamed = talk()
      .hear('frame-trades')
      .flatMap((event) => (event.kind === 'print' ? [`${event.key} ${event.eventTimeMs}`] : []))
    expect(await vendor().read('AAPL')).toEqual([...streamed, '62  #3681332 1795204800131'])
  })

  test('are asked for page by page, from a millisecond on, with the key at our address alone', async () => {
    const { http, read } = vendor()
    await read('BRK.B')
    expect(http.asked).toEqual([
      {
        path: '/v3/trades/BRK.B',
        query: { 'timestamp.gte': `${NOW_MS}000000`, order: 'asc', sort: 'timestamp', limit: 50_000 },
      },
      { path: '/v3/trades/AAPL', query: { cursor: 'YWN0aXZlPXRydWU' } },
    ])
  })
})

test('no frame, however mangled, yields anything invalid', () => {
  for (const name of ['frame-trades', 'frame-connected', 'frame-auth-success', 'frame-subscribed'])
    expectFramePromises(payload(name), () => talk().conversation, NOW_MS)
})
