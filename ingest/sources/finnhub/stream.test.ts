import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectFramePromises } from '../../../tests/support/vendors/frame-promises.ts'
import { finnhubStream, STREAMED_SYMBOLS_MAX } from './stream.ts'

const NOW_MS = Date.parse('2026-11-20T20:00:01Z')
const payload = (name: string) => readFileSync(new URL(`payloads/${name}.json`, import.meta.url))

function stream(symbols: readonly string[] = ['AAPL', 'BTC-USD']) {
  const counted = { skipped: 0 }
  const protocol = finnhubStream({
    url: 'wss://ws.finnhub.io',
    key: 'a key&',
    symbols,
    skipped: (count) => {
      counted.skipped += count
    },
  })
  const conversation = protocol.converse()
  return { protocol, counted, conversation, read: (frame: Buffer) => conversation.read(frame, NOW_MS) }
}

test('its address carries the key', () => {
  expect(stream().protocol.url()).toBe('wss://ws.finnhub.io?token=a%20key%26')
})

test('it subscribes symbol by symbol, in the names of Finnhub', () => {
  expect(stream().conversation.opening()).toEqual([
    '{"type":"subscribe","symbol":"AAPL"}',
    '{"type":"subscribe","symbol":"COINBASE:BTC-USD"}',
  ])
})

test('it follows no more symbols than a free key may', () => {
  const many = Array.from({ length: 80 }, (_, i) => `S${i}`)
  expect(stream(many).conversation.opening()).toHaveLength(STREAMED_SYMBOLS_MAX)
})

describe('trades', () => {
  test('of one frame are told in the order of their times', () => {
    const prints = stream().read(payload('frame-trades'))
    expect(prints).toEqual([
      { kind: 'print', symbol: 'AAPL', id: 0, price: 253.4, size: 5, eventTimeMs: 1795204800123 },
      { kind: 'print', symbol: 'BTC-USD', id: 0, price: 91234.5, size: 0.0123, eventTimeMs: 1795204800150 },
      { kind: 'print', symbol: 'AAPL', id: 0, price: 253.41, size: 100, eventTimeMs: 1795204800200 },
    ])
  })

  test('of nothing are no trades, and are counted', () => {
    const { counted, read } = stream()
    read(payload('frame-trades'))
    expect(counted.skipped).toBe(1)
  })

  test('that are none are put aside, alone, and those beside them are told', () => {
    const frame = Buffer.from(
      '{"type":"trade","data":[{"s":"AAPL","p":"x","t":1,"v":1},{"s":"AAPL","p":2,"t":1,"v":1}]}',
    )
    const events = stream().read(frame)
    expect(events.map(({ kind }) => kind).toSorted()).toEqual(['print', 'reject'])
    expect(events.find((event) => event.kind === 'reject')).toMatchObject({
      reason: expect.stringContaining('p: '),
      original: Buffer.from('{"type":"trade","data":[{"s":"AAPL","p":"x","t":1,"v":1}]}'),
    })
  })
})

test('its ping is a sign of life', () => {
  expect(stream().read(payload('frame-ping'))).toEqual([{ kind: 'heartbeat' }])
})

test.each([
  ['Invalid API key', 'VENDOR_REFUSED'],
  ['Too many connections', 'VENDOR_LIMIT'],
  ['Subscribing to too many symbols', 'VENDOR_UNKNOWN'],
  ['Something else', 'VENDOR_ANSWER'],
])('what it says of %s is %s', (msg, code) => {
  const [event] = stream().read(Buffer.from(JSON.stringify({ type: 'error', msg })))
  expect(event).toMatchObject({ kind: 'error', error: { code } })
})

test('a key that it repeats is hidden before anybody hears of it', () => {
  const secret = 'a-key-that-nobody-may-see'
  const protocol = finnhubStream({
    url: 'wss://ws.finnhub.io',
    key: secret,
    symbols: ['AAPL'],
    skipped: () => undefined,
  })
  const frame = Buffer.from(JSON.stringify({ type: 'error', msg: `Invalid API key ${secret}` }))
  const [event] = protocol.converse().read(frame, NOW_MS)
  expect(event).toMatchObject({ kind: 'error', error: { code: 'VENDOR_REFUSED' } })
  expect(event?.kind === 'error' && event.error.message).not.toContain(secret)
})

test('a frame that is no JSON is an answer that is wrong', () => {
  expect(() => stream().read(Buffer.from('<html>'))).toThrow(expect.objectContaining({ code: 'VENDOR_ANSWER' }))
})

test('no frame, however mangled, yields anything invalid', () => {
  for (const name of ['frame-trades', 'frame-ping', 'frame-error'])
    expectFramePromises(payload(name), () => stream().conversation, NOW_MS)
})
