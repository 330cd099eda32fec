import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ARTICLE_KINDS } from '../../domain/article.ts'
import { appendArticles } from '../../platform/store/article-writer.ts'
import { type ArticleKey, Articles } from '../../platform/store/articles.ts'
import type { Database } from '../../platform/store/database.ts'
import { testDatabase } from '../support/database.ts'
import { aFiling, anArticle, FRIDAY_MS } from '../support/facts.ts'

const SYMBOLS = ['AAPL', 'MSFT', 'SPY', 'NONE']

let database: Database
beforeAll(async () => {
  database = await testDatabase()
  const told = fc.sample(
    fc.record({
      symbols: fc.shuffledSubarray(SYMBOLS.slice(0, 3)),
      kind: fc.constantFrom(...ARTICLE_KINDS),
      publishedAtMs: fc.integer({ min: FRIDAY_MS - 5, max: FRIDAY_MS }),
    }),
    { numRuns: 80, seed: 11 },
  )
  const articles = told.map((fields, n) =>
    (fields.kind === 'FILING' ? aFiling : anArticle)({ ...fields, id: `x:${n}` }),
  )
  await appendArticles(database.pool, articles)
})
afterAll(() => database[Symbol.asyncDispose]())

test('the pages of several symbols in one query are those of each symbol alone', async () => {
  const articles = new Articles(database)
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(SYMBOLS, { minLength: 1 }),
      fc.option(fc.subarray([...ARTICLE_KINDS]), { nil: undefined }),
      fc.integer({ min: 1, max: 40 }),
      fc.option(
        fc.record<ArticleKey>({
          publishedAtMs: fc.integer({ min: FRIDAY_MS - 6, max: FRIDAY_MS + 1 }),
          id: fc.nat(90).map((n) => `x:${n}`),
        }),
        { nil: undefined },
      ),
      async (symbols, kinds, first, after) => {
        const asked = { first, ...(kinds && { kinds }), ...(after && { after }) }
        const together = await articles.pagesBySymbol({ ...asked, symbols })
        for (const symbol of symbols) {
          const alone = await articles.page({ ...asked, symbols: [symbol] })
          expect(together.get(symbol) ?? { items: [], hasNext: false }).toEqual(alone)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('a list of too many symbols is refused', async () => {
  const symbols = Array.from({ length: 501 }, (_, i) => `S${i}`)
  await expect(new Articles(database).pagesBySymbol({ symbols, first: 1 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})
