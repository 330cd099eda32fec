import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCompanyTickers } from './company-tickers.ts'

test('the list of the SEC is read row by row', () => {
  const rows = { 0: { cik_str: 1067983, ticker: 'BRK-B', title: 'BERKSHIRE HATHAWAY INC' }, 1: { ticker: 'NONE' } }
  const { facts, rejects } = readCompanyTickers(Buffer.from(JSON.stringify(rows)))
  expect(facts).toEqual([{ symbol: 'BRK.B', cik: '0001067983', name: 'BERKSHIRE HATHAWAY INC', rank: 0 }])
  expect(rejects).toHaveLength(1)
})

const dataFolder = process.env.TAPE_DIR
if (dataFolder !== undefined)
  test('the whole list of the SEC is read, with a class of shares written as we write it', () => {
    const { facts, rejects } = readCompanyTickers(readFileSync(join(dataFolder, 'company_tickers.json')))
    expect(rejects).toEqual([])
    expect(facts.length).toBeGreaterThan(9_000)
    expect(facts).toContainEqual(expect.objectContaining({ symbol: 'BRK.B', cik: '0001067983' }))
  })
