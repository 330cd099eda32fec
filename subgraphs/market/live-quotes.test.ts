import { expect, test } from 'vitest'
import type { Quote } from '../../domain/quote.ts'
import { ManualClock } from '../../platform/clock.ts'
import { batched } from '../../platform/graphql/batched.ts'
import { aSnapshot, FRIDAY_MS } from '../../tests/support/facts.ts'
import { aTick } from '../../tests/support/market.ts'
import { LiveQuotes } from './live-quotes.ts'

const DAY_MS = 86_400_000

/** A store that gives each day's first quote a previous close of its own. */
function open(stored: () => Quote | undefined = () => undefined) {
  let asked = 0
  const clock = new ManualClock()
  const quotes = batched<Quote>(async () => {
    asked++
    const quote = stored()
    return new Map(quote ? [[quote.symbol, quote]] : [])
  })
  return { clock, live: new LiveQuotes({ quotes }, clock), asked: () => asked }
}

const trade = (price: number, eventTimeMs: number, seq = 0) => ({
  ticks: [{ ...aTick('AAPL', price), eventTimeMs, ingestTimeMs: eventTimeMs, seq }],
  skipped: 0,
})
const quote = (price: number, eventTimeMs: number, previousClose?: number): Quote => ({
  symbol: 'AAPL',
  price,
  size: 1,
  eventTimeMs,
  seq: 0,
  source: 'test',
  licence: 'PERSONAL',
  delayed: false,
  ...(previousClose !== undefined && { previousClose }),
})

test('many trades of one day ask the store once a minute', async () => {
  const { live, clock, asked } = open(() => quote(1, FRIDAY_MS, 200))
  for (let n = 1; n <= 100; n++)
    expect(await live.after(trade(200 + n, FRIDAY_MS + n))).toEqual(quote(200 + n, FRIDAY_MS + n, 200))
  expect(asked()).toBe(1)
  await clock.advance(60_000)
  await live.after(trade(1, FRIDAY_MS + 200))
  expect(asked()).toBe(2)
})

test('a new day has a new previous close', async () => {
  let previousClose = 200
  const { live } = open(() => quote(1, FRIDAY_MS, previousClose))
  await live.after(trade(201, FRIDAY_MS + 1))
  previousClose = 201
  expect(await live.after(trade(202, FRIDAY_MS + DAY_MS))).toMatchObject({ price: 202, previousClose: 201 })
})

test('of several trades in one update the newest by event time counts', async () => {
  const { live } = open()
  const { ticks: late } = trade(1, FRIDAY_MS)
  const { ticks: newest } = trade(2, FRIDAY_MS + 1)
  expect(await live.after({ ticks: [...newest, ...late], skipped: 0 })).toMatchObject({ price: 2 })
})

test('an update without trades changes nothing', async () => {
  expect(await open().live.after({ ticks: [], skipped: 3 })).toBeUndefined()
})

test('an older price leaves the quote as it is', async () => {
  const { live } = open()
  await live.after(trade(2, FRIDAY_MS))
  expect(await live.after(trade(1, FRIDAY_MS - 1))).toMatchObject({ price: 2 })
  expect(await live.after(aSnapshot({ eventTimeMs: FRIDAY_MS - 1 }))).toMatchObject({ price: 2, source: 'test' })
})

test('a vendor that gives but a day can tell another price for the same one', async () => {
  const { live } = open()
  await live.after(aSnapshot({ price: 1 }))
  expect(await live.after(aSnapshot({ price: 2 }))).toMatchObject({ price: 2, previousClose: 229, delayed: true })
})

test('a previous close of our own counts before that of a vendor', async () => {
  const { live } = open(() => quote(1, FRIDAY_MS - 1, 200))
  expect(await live.after(aSnapshot())).toMatchObject({ price: 231.5, previousClose: 200 })
})
