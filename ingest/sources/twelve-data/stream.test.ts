import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { twelveDataPrices } from './stream.ts'

const NOW_MS = Date.parse('2026-11-20T20:00:01Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

function talk(symbols: readonly string[] = ['AAPL', 'EUR-USD']) {
  const protocol = twelveDataPrices({ url: 'wss://example.com/v1/quotes/price', key: 'hidden', symbols })
  const conversation = protocol.converse()
  return {
    protocol,
    conversation,
    hear: (name: string) => conversation.read(payload(name), NOW_MS),
    say: (message: object) => conversation.read(Buffer.from(JSON.stringify(message)), NOW_MS),
  }
}

test('it subscribes to all symbols at once, at most eight', () => {
  expect(talk().conversation.opening()).toEqual(['{"action":"subscribe","params":{"symbols":"AAPL,EUR/USD"}}'])
  const many = Array.from({ length: 20 }, (_, i) => `S${i}`)
  expect(talk(many).protocol.symbols).toHaveLength(8)
})

test('a price is a snapshot, as it has neither size nor number', () => {
  expect(talk().hear('frame-price')).toMatchObject([
    {
      kind: 'fact',
      fact: {
        topic: 'stock-quotes',
        event: { symbol: 'BTC-USD', price: 90123.5, dayVolume: 12_345, eventTimeMs: 1795204800000, delayed: false },
      },
    },
  ])
})

test('a symbol that is not let in is said, and the others go on', () => {
  expect(talk().hear('frame-subscribed')).toEqual([
    { kind: 'unknown', symbol: 'NOPE', reason: 'symbol is not available on your plan' },
    { kind: 'ready' },
  ])
})

test('its heartbeat is a sign of life', () => {
  expect(talk().hear('frame-heartbeat')).toEqual([{ kind: 'heartbeat' }])
})

test.each([
  [{ event: 'subscribe-status', status: 'error', message: 'invalid api key' }, 'VENDOR_REFUSED'],
  [{ event: 'subscribe-status', status: 'error', code: 429, message: 'slow down' }, 'VENDOR_LIMIT'],
  [{ status: 'error', message: 'malformed' }, 'VENDOR_ANSWER'],
])('%j is an error of its kind', (message, code) => {
  expect(talk().say(message)).toMatchObject([{ kind: 'error', error: { code } }])
})

test('a key that it repeats is hidden before anybody hears of it', () => {
  const secret = 'a-key-that-nobody-may-see'
  const protocol = twelveDataPrices({ url: 'wss://ws.twelvedata.com', key: secret, symbols: ['AAPL'] })
  const frame = Buffer.from(JSON.stringify({ status: 'error', message: `api key ${secret} is unknown` }))
  const [event] = protocol.converse().read(frame, NOW_MS)
  expect(event).toMatchObject({ kind: 'error', error: { code: 'VENDOR_REFUSED' } })
  expect(event?.kind === 'error' && event.error.message).not.toContain(secret)
})

test('no frame, however mangled, yields anything invalid', () => {
  for (const name of ['frame-price', 'frame-subscribed', 'frame-heartbeat'])
    expectFramePromises(payload(name), () => talk().conversation, NOW_MS)
})
