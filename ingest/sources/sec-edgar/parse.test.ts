import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { article } from '../../../domain/article.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import type { Fact } from '../../../platform/bus/topics.ts'
import { expectParserPromises } from '../../../tests/support/vendors/parser-promises.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { readCompanyTickers } from './company-tickers.ts'
import { type FilingsContext, parseLatestFilings } from './parse.ts'

const current = readFileSync(new URL('payloads/current.xml', import.meta.url))
const tickers = readFileSync(new URL('payloads/company_tickers.json', import.meta.url))
const context: FilingsContext = {
  receivedAtMs: Date.parse('2026-11-20T21:31:05Z'),
  forms: ['8-K', '4'],
  symbolsOf: (cik) => ({ '0000320193': ['AAPL'], '0001067983': ['BRK.B', 'BRK.A'] })[cik] ?? [],
}

const articlesOf = ({ facts, rejects }: ItemsRead<Fact>) => ({
  facts: facts.map(({ topic, event }) => {
    if (topic !== 'news-data') throw new Error(`A filing went to ${topic}`)
    return event
  }),
  rejects,
})
const parse = (body: Buffer) => articlesOf(parseLatestFilings(body, context))

describe('the latest filings', () => {
  test('are articles that say what was filed in the words of the form', () => {
    expect(parse(current).rejects).toEqual([])
    expect(parse(current).facts[0]).toEqual({
      id: 'sec-edgar:0000320193-26-000101',
      source: 'sec-edgar',
      licence: 'REDISTRIBUTABLE',
      kind: 'FILING',
      headline: 'Apple Inc. 8-K: Results of Operations and Financial Condition (2.02)',
      summary: expect.stringMatching(
        /^Filed: 2026-11-20 AccNo: 0000320193-26-000101 .*Item 9\.01: Financial Statements/,
      ),
      url: 'https://www.sec.gov/Archives/edgar/data/320193/000032019326000101/0000320193-26-000101-index.htm',
      publisher: 'SEC EDGAR',
      language: 'en',
      publishedAtMs: Date.parse('2026-11-20T21:30:12Z'),
      ingestTimeMs: context.receivedAtMs,
      symbols: ['AAPL'],
      vendorSentiment: null,
      filing: {
        accessionNumber: '0000320193-26-000101',
        form: '8-K',
        items: ['2.02', '9.01'],
        cik: '0000320193',
        company: 'Apple Inc.',
      },
    })
  })

  test('are told once however many parties they are listed for, as the issuer’s', () => {
    const insiders = parse(current).facts.filter(({ filing }) => filing?.form === '4')
    expect(insiders).toMatchObject([
      {
        headline: 'BERKSHIRE HATHAWAY INC 4: Statement of changes in beneficial ownership',
        symbols: ['BRK.B', 'BRK.A'],
        filing: { cik: '0001067983' },
      },
    ])
  })

  test('are followed with their amendments, of companies whose names have brackets too; other forms are passed over', () => {
    const { facts } = parse(current)
    expect(facts.map(({ filing }) => filing?.form)).toEqual(['8-K', '8-K/A', '4'])
    expect(facts[1]).toMatchObject({ filing: { company: 'Smith & Sons (Holdings) Corp /DE/' }, symbols: [] })
  })

  test('that are wrong are put aside with their place, and the others go on', () => {
    const wrong = current.toString().replace('(0000320193)', '(Apple)').replace('2026-11-20T16:05:11', 'yesterday')
    const { facts, rejects } = parse(Buffer.from(wrong))
    expect(facts).toHaveLength(1)
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('entry[0]: title must be like'),
      expect.stringContaining('entry[1]: updated must be a time'),
    ])
  })

  test('keep the parser’s promises, however mangled', () => {
    expectParserPromises(current, parse, article)
  })
})

describe('the list of companies', () => {
  test('has a row for each class of shares, as we write it', () => {
    expect(readCompanyTickers(tickers).facts.slice(1, 3)).toEqual([
      { cik: '0000320193', symbol: 'AAPL', name: 'Apple Inc.', rank: 1 },
      { cik: '0001067983', symbol: 'BRK.B', name: 'BERKSHIRE HATHAWAY INC', rank: 2 },
    ])
  })

  test('keeps the parser’s promises, however mangled', () => {
    expectParserPromises(tickers, readCompanyTickers, (company) => {
      expect(isSymbol(company.symbol)).toBe(true)
      expect(company.cik).toMatch(/^\d{10}$/)
      return company
    })
  })

  const dataFolder = process.env.TAPE_DIR
  if (dataFolder !== undefined)
    test('is read whole as the SEC publishes it', () => {
      const { facts, rejects } = readCompanyTickers(readFileSync(join(dataFolder, 'company_tickers.json')))
      expect(rejects).toEqual([])
      expect(facts.length).toBeGreaterThan(9_000)
    })
})
