import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Instrument } from '../../domain/instrument.ts'
import type { Database } from '../../platform/store/database.ts'
import { SEED_AS_OF_MS, SEED_INSTRUMENTS } from '../../platform/store/instrument-seed.ts'
import { Instruments } from '../../platform/store/instruments.ts'
import { listInstruments } from '../../platform/store/tick-writer.ts'
import { testDatabase } from '../support/database.ts'

let database: Database
let instruments: Instruments

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.pool.query('TRUNCATE instruments')
  instruments = new Instruments(database)
})

const apple: Instrument = {
  symbol: 'AAPL',
  name: 'Apple Inc.',
  exchange: 'XNAS',
  currency: 'USD',
  assetClass: 'EQUITY',
  aliases: ['Apple', 'iPhone'],
  cik: '0000320193',
}
const named = (symbol: string, name: string): Instrument => ({ ...apple, symbol, name, aliases: [], cik: null })

const listed = [
  apple,
  named('APPL', 'Appliance Recycling'),
  named('BAC', 'Bank of America'),
  named('JPM', 'JPMorgan Chase & Co.'),
  named('MS', 'Morgan Stanley'),
  named('PCT', 'Profit 50% Trust'),
]

describe('Instruments', () => {
  test('what was added is found by symbol, and unknown symbols are left out', async () => {
    await instruments.add([apple])
    expect(await instruments.find(['AAPL', 'NOPE'])).toEqual(new Map([['AAPL', apple]]))
  })

  test('adding a known instrument describes it anew', async () => {
    await instruments.add([apple, named('AAPL', 'first'), named('AAPL', 'last')])
    await instruments.add([named('AAPL', 'Apple Computer')])
    expect((await instruments.find(['AAPL'])).get('AAPL')?.name).toBe('Apple Computer')
  })

  test('more than one statement holds can be added at once', async () => {
    const many = Array.from({ length: 5_001 }, (_, i) => named(`S${i}`, `Number ${i}`))
    await instruments.add(many)
    expect((await instruments.find(['S0', 'S5000'])).size).toBe(2)
  })

  test('pages follow each other in order of symbol, without gap or repetition', async () => {
    await instruments.add([...listed].reverse())
    const seen: string[] = []
    for (let after: string | undefined, more = true; more; ) {
      const page = await instruments.page({ first: 4, ...(after && { after }) })
      seen.push(...page.items.map(({ symbol }) => symbol))
      after = seen.at(-1)
      more = page.hasNext
    }
    expect(seen).toEqual(['AAPL', 'APPL', 'BAC', 'JPM', 'MS', 'PCT'])
  })

  test('the last page says that there is none after it, also when it is full', async () => {
    await instruments.add(listed)
    expect((await instruments.page({ first: 5 })).hasNext).toBe(true)
    expect((await instruments.page({ first: 6 })).hasNext).toBe(false)
  })

  test('a page can be limited to some symbols', async () => {
    await instruments.add(listed)
    const { items } = await instruments.page({ symbols: ['MS', 'BAC', 'NOPE'], first: 10 })
    expect(items.map(({ symbol }) => symbol)).toEqual(['BAC', 'MS'])
  })

  test('a page without bounds is refused', async () => {
    await expect(instruments.page({ first: 1_000_000 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  describe('that have been described', () => {
    const earlier = SEED_AS_OF_MS - 1
    const later = SEED_AS_OF_MS + 86_400_000
    const one = async () => (await instruments.find(['AAPL'])).get('AAPL')
    const asListed = (fields: Partial<Instrument>): Instrument => ({
      ...apple,
      name: 'APPLE INC',
      exchange: '',
      assetClass: 'UNKNOWN',
      aliases: [],
      ...fields,
    })

    test('by a price alone are described by whatever list knows them', async () => {
      const connection = await database.checkout()
      await listInstruments(connection, ['AAPL'])
      connection.release()
      await instruments.refresh([asListed({})])
      expect(await one()).toEqual(asListed({}))
      await instruments.add([apple], later)
      expect(await one()).toEqual(apple)
    })

    test('by somebody else’s list are described by our own, also where that is the older one, but for the CIK', async () => {
      await instruments.refresh([asListed({ cik: '0009999999' })], later)
      await instruments.add([apple], SEED_AS_OF_MS)
      expect(await one()).toEqual({ ...apple, cik: '0009999999' })
    })

    test('by our own list keep that when somebody else’s list comes, which fills what was empty', async () => {
      await instruments.add([{ ...apple, exchange: '', cik: null }], SEED_AS_OF_MS)
      await instruments.refresh([asListed({ exchange: 'XNAS' })], later)
      expect(await one()).toEqual(apple)
    })

    test('follow a list that nobody here has reviewed: another name, and what it leaves empty stays', async () => {
      await instruments.refresh([asListed({ exchange: 'XNAS' })], earlier)
      await instruments.refresh([asListed({ name: 'APPLE COMPUTER INC' })], later)
      expect(await one()).toEqual(asListed({ name: 'APPLE COMPUTER INC', exchange: 'XNAS' }))
    })

    test('get the CIK that is newest', async () => {
      await instruments.add([apple], SEED_AS_OF_MS)
      await instruments.refresh([asListed({ cik: '0009999999' })], later)
      expect(await one()).toEqual({ ...apple, cik: '0009999999' })
    })

    test('are not described anew by a list that is older than what is known', async () => {
      await instruments.add([apple], SEED_AS_OF_MS)
      await instruments.refresh([asListed({ cik: '0009999999' })], later)
      await instruments.add([apple], SEED_AS_OF_MS)
      expect((await one())?.cik).toBe('0009999999')
      await instruments.add([apple], later + 1)
      expect((await one())?.cik).toBe(apple.cik)
    })

    test('are not written again where nothing has changed', async () => {
      const versions = async () => {
        const { rows } = await database.pool.query<{ version: string }>(
          'SELECT symbol, xmin::text || cmax::text || xmax::text AS version FROM instruments ORDER BY symbol',
        )
        return rows
      }
      await instruments.add(SEED_INSTRUMENTS, SEED_AS_OF_MS)
      const before = await versions()
      expect(before).toHaveLength(SEED_INSTRUMENTS.length)
      await instruments.add(SEED_INSTRUMENTS, SEED_AS_OF_MS)
      await instruments.refresh(SEED_INSTRUMENTS, later)
      expect(await versions()).toEqual(before)
    })

    test('come back as they were told, every one of our own list', async () => {
      await instruments.add(SEED_INSTRUMENTS, SEED_AS_OF_MS)
      const stored = await instruments.find(SEED_INSTRUMENTS.map(({ symbol }) => symbol))
      expect([...stored.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))).toEqual(SEED_INSTRUMENTS)
    })

    test('by somebody who sends what is no text are stored with what is', async () => {
      await instruments.refresh([named('ODD', 'Odd \0 \ud800 name')])
      expect((await instruments.find(['ODD'])).get('ODD')?.name).toBe('Odd \ufffd \ufffd name')
    })
  })
})

describe('Searching instruments', () => {
  const found = async (text: string, first = 10) => {
    await instruments.add(listed)
    return (await instruments.search(text, first)).map(({ symbol }) => symbol)
  }

  test('a search finds symbols by how they begin, before names', async () => {
    expect(await found('ap')).toEqual(['APPL', 'AAPL'])
  })
  test('a search finds the very symbol first', async () => {
    expect((await found('ms'))[0]).toBe('MS')
  })
  test('a search finds names by how their words begin, then by what they contain', async () => {
    expect(await found('morgan')).toEqual(['MS', 'JPM'])
  })
  test('every word of a search must be found', async () => {
    expect(await found('america BANK')).toEqual(['BAC'])
  })
  test('wildcards in a search are only characters', async () => {
    expect(await found('%')).toEqual(['PCT'])
    expect(await found('_')).toEqual([])
    expect(await found('\\')).toEqual([])
  })
  test('an empty search finds nothing', async () => {
    expect(await found('  ')).toEqual([])
  })
  test('a search gives no more than was asked for', async () => {
    expect(await found('a', 2)).toHaveLength(2)
  })
  test('an endless search text is refused', async () => {
    await expect(found('x'.repeat(101))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  describe('of our own list', () => {
    const best = async (text: string, first = 1) => (await instruments.search(text, first)).map(({ symbol }) => symbol)

    beforeEach(() => instruments.add(SEED_INSTRUMENTS, SEED_AS_OF_MS))

    test.each([
      ['apple', 'AAPL'],
      ['google', 'GOOG'],
      ['FB', 'META'],
      ['facebook', 'META'],
      ['coca cola', 'KO'],
      ['coca-cola', 'KO'],
      ['mcdonalds', 'MCD'],
      ["McDonald's", 'MCD'],
      ['at&t', 'T'],
      ['jp morgan', 'JPM'],
      ['jpmorgan', 'JPM'],
      ['s&p 500', 'IVV'],
      ['bitcoin', 'BTC-USD'],
      ['btcusd', 'BTC-USD'],
      ['btc/usd', 'BTC-USD'],
      ['eurusd', 'EUR-USD'],
      ['EUR/USD', 'EUR-USD'],
      ['brk.b', 'BRK.B'],
      ['brk-b', 'BRK.B'],
      ['BRK/B', 'BRK.B'],
      ['brk b', 'BRK.B'],
      ['berkshire', 'BRK.A'],
      ['0000320193', 'AAPL'],
      ['320193', 'AAPL'],
      ['CIK 320193', 'AAPL'],
      ['disney', 'DIS'],
    ])('%s finds %s first', async (text, symbol) => {
      expect(await best(text)).toEqual([symbol])
    })

    test('a CIK finds every share class of its company', async () => {
      expect(await best('1067983', 10)).toEqual(['BRK.A', 'BRK.B'])
    })

    test('the very symbol comes before symbols that begin so, and these before words of names', async () => {
      expect(await best('app', 4)).toEqual(['APP', 'APPF', 'AAPL', 'AMAT'])
    })

    test('ours come before the others that are found alike', async () => {
      await instruments.refresh([named('AAAA', 'Apple Hospitality')])
      expect(await best('apple', 2)).toEqual(['AAPL', 'AAAA'])
    })
  })
})
