import { expect, test } from 'vitest'
import type { Instrument } from '../../domain/instrument.ts'
import { ManualClock } from '../../platform/clock.ts'
import { batched } from '../../platform/graphql/batched.ts'
import { DescribedInstruments } from './described-instruments.ts'

const apple: Instrument = {
  symbol: 'AAPL',
  name: 'Apple Inc.',
  exchange: 'XNAS',
  currency: 'USD',
  assetClass: 'EQUITY',
  aliases: [],
  cik: null,
}

function open(stored: Map<string, Instrument>) {
  const asked: string[] = []
  const find = async (symbols: readonly string[]) => {
    asked.push(...symbols)
    return new Map(
      symbols.flatMap((symbol) => (stored.has(symbol) ? [[symbol, stored.get(symbol) as Instrument]] : [])),
    )
  }
  const clock = new ManualClock(0)
  const instruments = new DescribedInstruments({ instruments: batched(find) }, clock)
  return { instruments, asked, clock }
}

test('an instrument that many ticks name is read from the store once a minute', async () => {
  const { instruments, asked, clock } = open(new Map([['AAPL', apple]]))
  for (let i = 0; i < 100; i++) expect(await instruments.of('AAPL')).toBe(apple)
  expect(asked).toEqual(['AAPL'])
  await clock.advance(60_001)
  await instruments.of('AAPL')
  expect(asked).toEqual(['AAPL', 'AAPL'])
})

test('one that nobody has described is named by its symbol', async () => {
  const { instruments } = open(new Map())
  expect(await instruments.of('NEW')).toMatchObject({ symbol: 'NEW', name: 'NEW', assetClass: 'UNKNOWN' })
})
