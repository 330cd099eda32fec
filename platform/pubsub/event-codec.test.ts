import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BAR_INTERVALS } from '../../domain/bar.ts'
import { tick } from '../../domain/tick.ts'
import { decodeEvent, encodeEvent } from './event-codec.ts'
import type { TickUpdate } from './pubsub.ts'

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true })
const seq = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })
const prints = fc.record({
  price: positive,
  size: positive,
  seq,
  source: fc.constantFrom('simulated', 'coinbase'),
  position: seq,
})
const update = (
  fields: { price: number; size: number; seq: number; source: string; position: number }[],
): TickUpdate => ({
  ticks: fields.map((print) =>
    tick({ ...print, symbol: 'BRK.B', eventTimeMs: 1_381_152_600_123, ingestTimeMs: 1_381_152_600_456 }),
  ),
  skipped: fields.length,
})

test('every tick update comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(prints, { maxLength: 20 }), (fields) => {
      const event = update(fields)
      expect(decodeEvent('tick', encodeEvent('tick', event))).toEqual(event)
    }),
  )
})

test('every bar comes back as it was', () => {
  const bars = fc.record({
    symbol: fc.constantFrom('AAPL', 'BTC-USD'),
    interval: fc.constantFrom(...BAR_INTERVALS),
    startMs: fc.nat(),
    open: positive,
    high: positive,
    low: positive,
    close: positive,
    volume: positive,
    trades: fc.nat(),
    closed: fc.boolean(),
  })
  fc.assert(
    fc.property(bars, (bar) => {
      expect(decodeEvent('bar', encodeEvent('bar', bar))).toEqual(bar)
    }),
  )
})

test('an update takes less than half of the bytes of its objects', () => {
  const print = { price: 189.25, size: 100, seq: 1_234_567, source: 'replay:trades-2013-10-07', position: 1_234_567 }
  const event = update(Array.from({ length: 10 }, () => print))
  expect(encodeEvent('tick', event).length).toBeLessThan(JSON.stringify(event).length / 2)
})

test('an update about two symbols is refused before it is published', () => {
  const [one] = update([{ price: 1, size: 1, seq: 1, source: 'x', position: 1 }]).ticks
  const mixed = { ticks: [one, { ...one, symbol: 'MSFT' }].filter((print) => print !== undefined), skipped: 0 }
  expect(() => encodeEvent('tick', mixed)).toThrow('one symbol')
})

test('a layout of another version is refused, not misread', () => {
  expect(() => decodeEvent('tick', '[2,"AAPL",0,[],[]]')).toThrow('Expected layout version 1, was 2')
})

test('whatever comes in, it is an event or a PlatformError', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.jsonValue(), { maxLength: 12 }).map((fields) => JSON.stringify([1, ...fields])),
  )
  fc.assert(
    fc.property(anything, fc.constantFrom('tick' as const, 'bar' as const), (message, channel) => {
      try {
        decodeEvent(channel, message)
      } catch (error) {
        expect(error).toMatchObject({ name: 'PlatformError' })
      }
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  ['no print', '[1,"AAPL",0,["x"],[[]]]'],
  ['a price of text', '[1,"AAPL",0,["x"],[["1",1,1,1,1,1,0]]]'],
  ['a price of zero', '[1,"AAPL",0,["x"],[[0,1,1,1,1,1,0]]]'],
  ['a source that is not listed', '[1,"AAPL",0,[],[[1,1,1,1,1,1,0]]]'],
])('%s is no tick update', (_what, message) => {
  expect(() => decodeEvent('tick', message)).toThrow()
})

test('an interval we do not know is no bar', () => {
  expect(() => decodeEvent('bar', '[1,"AAPL","2m",0,1,1,1,1,1,1,true]')).toThrow('Expected a bar interval, was "2m"')
  expect(() => decodeEvent('bar', '[1,"AAPL","toString",0,1,1,1,1,1,1,true]')).toThrow('Expected a bar interval')
})
