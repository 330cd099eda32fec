import { describe, expect, test } from 'vitest'
import { readInstrumentSeed } from './instrument-seed.ts'

const HEADER = 'symbol,name,exchange,currency,class,cik,aliases'
const read = (...lines: string[]) => readInstrumentSeed([HEADER, ...lines, ''].join('\n'))

test('a line is an instrument', () => {
  expect(read('AMZN,"Amazon.com, Inc.",XNAS,USD,EQUITY,0001018724,Amazon|AWS', 'EUR-USD,Euro,,USD,FX,,')).toEqual([
    {
      symbol: 'AMZN',
      name: 'Amazon.com, Inc.',
      exchange: 'XNAS',
      currency: 'USD',
      assetClass: 'EQUITY',
      aliases: ['Amazon', 'AWS'],
      cik: '0001018724',
    },
    {
      symbol: 'EUR-USD',
      name: 'Euro',
      exchange: '',
      currency: 'USD',
      assetClass: 'FX',
      aliases: [],
      cik: null,
    },
  ])
})

test('a quotation mark within a quoted name is written twice', () => {
  expect(read('A,"The ""A"", Inc.",,USD,EQUITY,,')[0].name).toBe('The "A", Inc.')
})

describe('a mistake in the list is told with its line:', () => {
  test.each([
    ['other columns', 'symbol,name', 'line 1: the columns must be'],
    ['a missing field', `${HEADER}\nA,Agilent,XNYS,USD,EQUITY,0001090872`, 'line 2: there must be 7 fields, were 6'],
    ['a field too many', `${HEADER}\nA,Agilent,XNYS,USD,EQUITY,,x,y`, 'line 2: there must be 7 fields, were 8'],
    ['text behind a quoted field', `${HEADER}\nA,"Agilent"x,XNYS,USD,EQUITY,,`, 'line 2: there must be 7 fields'],
    ['no symbol', `${HEADER}\na,Agilent,XNYS,USD,EQUITY,,`, 'line 2: a is no symbol'],
    ['no name', `${HEADER}\nA, ,XNYS,USD,EQUITY,,`, 'line 2: A must have a name'],
    ['an exchange by its name', `${HEADER}\nA,Agilent,NYSE Arca,USD,EQUITY,,`, 'line 2: the exchange must be a MIC'],
    ['no currency', `${HEADER}\nA,Agilent,XNYS,,EQUITY,,`, 'line 2: the currency must be a code'],
    ['a class nobody knows', `${HEADER}\nA,Agilent,XNYS,USD,BOND,,`, 'line 2: the class must be one of EQUITY'],
    ['a CIK without its zeros', `${HEADER}\nA,Agilent,XNYS,USD,EQUITY,1090872,`, 'line 2: the CIK must be ten digits'],
    ['disorder', `${HEADER}\nB,B,,USD,ETF,,\nA,A,,USD,ETF,,`, 'line 3: A must come in order of symbols'],
    ['a symbol twice', `${HEADER}\nA,A,,USD,ETF,,\nA,A,,USD,ETF,,`, 'line 3: A must come in order of symbols'],
  ])('%s', (_what, csv, message) => {
    expect(() => readInstrumentSeed(csv)).toThrow(message)
  })
})
