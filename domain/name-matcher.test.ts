import { describe, expect, test } from 'vitest'
import { NameMatcher, searchWords } from './name-matcher.ts'

const named = (symbol: string, name: string, ...aliases: string[]) => ({ symbol, name, aliases })

const matcher = new NameMatcher([
  named('AAPL', 'Apple Inc.', 'Apple'),
  named('GOOGL', 'Alphabet Inc. Class A', 'Google', 'Alphabet'),
  named('GOOG', 'Alphabet Inc. Class C'),
  named('BRK.B', 'Berkshire Hathaway Inc. Class B'),
  named('TGT', 'Target Corporation', 'Target'),
  named('BAC', 'Bank of America Corporation', 'BofA'),
  named('AIG', 'American International Group, Inc.', 'AIG'),
  named('T', 'AT&T Inc.'),
  named('MCD', "McDonald's Corporation", "McDonald's"),
  named('EBAY', 'eBay Inc.'),
  named('UPS', 'United Parcel Service, Inc.', 'UPS'),
  named('NVDA', 'NVIDIA Corporation'),
  named('MMM', '3M Company'),
  named('GS', 'The Goldman Sachs Group, Inc.'),
  named('V', 'Visa Inc.'),
  named('DIS', 'The Walt Disney Company', 'Disney'),
  named('BTC-USD', 'Bitcoin'),
  named('CATX', 'Cat Corporation'),
  named('JD', 'JD.com, Inc.'),
  named('AI', 'C3.ai, Inc.'),
  named('ELF', 'e.l.f. Beauty, Inc.'),
  named('ARGX', 'argenx SE'),
  named('WEN', "The Wendy's Company", "Wendy's"),
])

describe('a text names', () => {
  test.each<[text: string, symbols: string[]]>([
    ['Apple beats forecasts', ['AAPL']],
    ['APPLE BEATS FORECASTS', ['AAPL']],
    ['Why Nvidia and Google rise', ['NVDA', 'GOOGL']],
    ['Apple’s suppliers and McDonald’s', ['AAPL', 'MCD']],
    ["Analysts love McDonald's, eBay, AT&T and 3M", ['MCD', 'EBAY', 'T', 'MMM']],
    ['Bank of America raises Walt Disney', ['BAC', 'DIS']],
    ['Goldman Sachs sees Bitcoin at a high', ['GS', 'BTC-USD']],
    ['Berkshire Hathaway sells; Berkshire buys', ['BRK.B']],
    ['Target Corporation and Visa Inc. report', ['TGT', 'V']],
    ['American International Group pays', ['AIG']],
    ['Traders pile into $TGT and $BRK.B', ['TGT', 'BRK.B']],
    ['Target (NYSE: TGT) opens stores', ['TGT']],
    ['Alphabet Inc. and Apple', ['GOOGL', 'GOOG', 'AAPL']],
    ['JD.com, Amazon.com and C3.ai', ['JD', 'AI']],
    ['e.l.f. Beauty, argenx and Wendy’s', ['ELF', 'ARGX', 'WEN']],
    ['Strike at UPS ends', ['UPS']],
    ['Apple buys, Apple sells, Apple waits', ['AAPL']],
  ])('%s: %j', (text, symbols) => {
    expect(matcher.symbolsIn(text)).toEqual(symbols)
  })
})

describe('a text does not name', () => {
  test.each([
    ['a word of every day', 'Analysts raise their Target for the year; a Visa is needed'],
    ['a word in small letters', 'An apple a day'],
    ['a part of a word', 'Applebee and Pineapple, Googled'],
    ['a name without the genitive that belongs to it', 'Wendy and McDonald'],
    ['half of a name', 'The American International School; the Bank of England; Walt Whitman'],
    ['a short word in small letters', 'a cat and a dog'],
    ['initials that are a word', 'The ups and downs. Ups!'],
    ['a price', 'It costs $5 or $T5'],
    ['a symbol that nobody asked for', '$MSFT (NASDAQ: MSFT)'],
    ['nothing', ''],
  ])('%s: %s', (_what, text) => {
    expect(matcher.symbolsIn(text)).toEqual([])
  })
})

test('names that hold no word at all are nobody’s', () => {
  expect(new NameMatcher([named('X', '—', '', 'The')]).symbolsIn('The — X')).toEqual([])
})

test('a long text takes no longer than its words', () => {
  const startMs = performance.now()
  matcher.symbolsIn('Bank of '.repeat(50_000))
  matcher.symbolsIn(`${'$'.repeat(100_000)}${'Nasdaq '.repeat(20_000)}${"'".repeat(100_000)}`)
  expect(performance.now() - startMs).toBeLessThan(2_000)
})

test.each([
  ['Apple', named('AAPL', 'Apple Inc.')],
  ['Google', named('GOOGL', 'Alphabet Inc. Class A', 'Google')],
  ['Bitcoin', named('BTC-USD', 'Bitcoin', 'BTCUSD')],
  ['Target Corporation', named('TGT', 'Target Corporation', 'Target')],
  ['Walt Disney', named('DIS', 'The Walt Disney Company')],
  ['', named('X', '—')],
])('news are searched for %j', (words, instrument) => {
  expect(searchWords(instrument)).toBe(words)
})
