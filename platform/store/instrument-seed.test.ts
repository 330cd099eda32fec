import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canonicalSymbol } from '../../domain/instrument.ts'
import { SEED_AS_OF_MS, SEED_INSTRUMENTS } from './instrument-seed.ts'

const of = (assetClass: string) => SEED_INSTRUMENTS.filter((instrument) => instrument.assetClass === assetClass)

describe('our list of instruments', () => {
  test.each([
    ['EQUITY', 500],
    ['ETF', 60],
    ['CRYPTO', 20],
    ['FX', 15],
  ])('holds enough of %s', (assetClass, atLeast) => {
    expect(of(assetClass).length).toBeGreaterThanOrEqual(atLeast)
  })

  test('writes every symbol the one way we do', () => {
    for (const { symbol } of SEED_INSTRUMENTS) expect(canonicalSymbol(symbol)).toBe(symbol)
  })

  test('prices a pair in the second of the two', () => {
    for (const { symbol, currency } of [...of('CRYPTO'), ...of('FX')]) expect(symbol.split('-')[1]).toBe(currency)
  })

  test('names venues where shares and funds are listed, and the SEC’s number of every company', () => {
    const venues = new Set(['XNAS', 'XNYS', 'ARCX', 'BATS', ''])
    for (const { exchange } of SEED_INSTRUMENTS) expect(venues).toContain(exchange)
    for (const { symbol, cik } of of('EQUITY')) expect(cik, symbol).toMatch(/^\d{10}$/)
    const unsure = of('EQUITY').filter(({ exchange }) => exchange === '')
    expect(unsure.length).toBeLessThan(of('EQUITY').length / 50)
  })

  test('gives names as companies write them, and aliases that say something else', () => {
    for (const { symbol, name, aliases } of SEED_INSTRUMENTS) {
      expect(name, symbol).not.toMatch(/\b(INC|CORP|CO|LTD)\b|^\s|\s$|\s{2}/)
      expect(new Set(aliases.map((alias) => alias.toLowerCase())).size, symbol).toBe(aliases.length)
      for (const alias of aliases) {
        expect(alias.trim(), symbol).toBe(alias)
        expect(alias, symbol).not.toBe(name)
      }
    }
  })

  test('was not reviewed in the future', () => {
    expect(SEED_AS_OF_MS).toBeLessThanOrEqual(Date.now())
  })
})

const dataFolder = process.env.TAPE_DIR
if (dataFolder !== undefined)
  describe('our list of instruments beside the SEC’s own', () => {
    const listed = new Map<string, string>(
      Object.values(JSON.parse(readFileSync(join(dataFolder, 'company_tickers.json'), 'utf8'))).map((row) => {
        const { ticker, cik_str } = row as { ticker: string; cik_str: number }
        return [canonicalSymbol(ticker), String(cik_str).padStart(10, '0')]
      }),
    )

    test('has only companies that are there, with their CIK', () => {
      const strangers = of('EQUITY').filter(({ symbol, aliases, cik }) => {
        // A symbol younger than the list is found by the one it had: XYZ was SQ.
        const then = [symbol, ...aliases].find((name) => listed.has(name))
        return listed.get(then ?? '') !== cik
      })
      expect(strangers).toEqual([])
      expect(listed.size).toBeGreaterThan(9_000)
    })
  })
