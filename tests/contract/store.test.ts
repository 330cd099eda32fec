import { describe, expect, test } from 'vitest'
import { testDatabase } from '../support/database.ts'

describe('Database', () => {
  test('one pool serves plain SQL and Prisma', async () => {
    await using database = await testDatabase()
    await database.prisma.instrument.create({ data: { symbol: 'AAPL', name: 'Apple Inc.' } })
    expect(await database.query('count', 'SELECT symbol FROM instruments')).toEqual([{ symbol: 'AAPL' }])
  })
})
