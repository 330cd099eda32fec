import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { polygonTrades } from './stream.ts'

const NOW_MS = Date.parse('2026-11-20T20:00:01Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

function talk(symbols: readonly string[] = ['AAPL', 'MSFT']) {
  const conversation = polygonTrades({ url: 'wss://example.com', key: 'hidden', symbols }).converse()
  return {
    conversation,
    hear: (name: string) => conversation.read(payload(name), NOW_MS),
    trade: (q: number, t: number) =>
      conversation.read(Buffer.from(JSON.stringify([{ ev: 'T', sym: 'AAPL', p: 1, s: 1, t, q }])), NOW_MS),
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
      { kind: 'print', symbol: 'AAPL', id: 0, price: 253.41, size: 100, eventTimeMs: 1795204800123 },
      { kind: 'print', symbol: 'AAPL', id: 0, price: 253.42, size: 5, eventTimeMs: 1795204800130 },
    ])
  })

  test('told again are told once', () => {
    const { hear } = talk()
    hear('frame-trades')
    expect(hear('frame-trades')).toEqual([])
  })

  test('of a new session begin at any number', () => {
    const { trade } = talk()
    expect(trade(9_000, 1_000)).toHaveLength(1)
    expect(trade(1, 2_000)).toHaveLength(1)
  })
})

test('no frame, however mangled, yields anything invalid', () => {
  for (const name of ['frame-trades', 'frame-connected', 'frame-auth-success', 'frame-subscribed'])
    expectFramePromises(payload(name), () => talk().conversation, NOW_MS)
})
