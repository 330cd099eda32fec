import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../platform/store/database.ts'
import { SourceQuotas } from '../../platform/store/source-quotas.ts'
import { SymbolInterestStore } from '../../platform/store/symbol-interest.ts'
import { UpdatePlan } from '../../platform/store/update-plan.ts'
import { testDatabase } from '../support/database.ts'
import { FRIDAY_MS } from '../support/facts.ts'

let database: Database

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.pool.query('TRUNCATE source_quota, symbol_interest, update_plan')
})

describe('Source quotas', () => {
  test('what was spent is loaded as it was saved last', async () => {
    const quotas = new SourceQuotas(database)
    const spent = { recentMs: [1, 2], days: { '2026-11-20': 25 }, pausedUntilMs: 0 }
    expect(await quotas.load('alpha-vantage#1')).toBeUndefined()
    await quotas.save('alpha-vantage#1', spent)
    await quotas.save('alpha-vantage#1', { ...spent, pausedUntilMs: FRIDAY_MS })
    expect(await quotas.load('alpha-vantage#1')).toEqual({ ...spent, pausedUntilMs: FRIDAY_MS })
    expect(await quotas.load('alpha-vantage#2')).toBeUndefined()
  })
})

describe('Symbol interest', () => {
  const watched = (watchers: number, alertRules = 0) => ({ watchers, alertRules })

  test('what all holders say is summed up, the most wanted first', async () => {
    const interest = new SymbolInterestStore(database)
    await interest.hold(
      'a',
      new Map([
        ['AAPL', watched(3)],
        ['SPY', watched(1)],
      ]),
      60_000,
    )
    await interest.hold(
      'b',
      new Map([
        ['AAPL', watched(2)],
        ['BTC-USD', watched(0, 1)],
      ]),
      60_000,
    )
    expect([...(await interest.current())]).toEqual([
      ['BTC-USD', watched(0, 1)],
      ['AAPL', watched(5)],
      ['SPY', watched(1)],
    ])
  })

  test('a holder replaces what it said before', async () => {
    const interest = new SymbolInterestStore(database)
    await interest.hold(
      'a',
      new Map([
        ['AAPL', watched(3)],
        ['SPY', watched(1)],
      ]),
      60_000,
    )
    await interest.hold('a', new Map([['AAPL', watched(1)]]), 60_000)
    expect(await interest.current()).toEqual(new Map([['AAPL', watched(1)]]))
    await interest.hold('a', new Map(), 60_000)
    expect(await interest.current()).toEqual(new Map())
  })

  test('a holder that is silent for too long is forgotten, and its rows leave with the next call', async () => {
    const interest = new SymbolInterestStore(database)
    await interest.hold('dead', new Map([['AAPL', watched(3)]]), 0)
    expect(await interest.current()).toEqual(new Map())
    await interest.hold('alive', new Map([['SPY', watched(1)]]), 60_000)
    const { rows } = await database.pool.query('SELECT holder FROM symbol_interest')
    expect(rows).toEqual([{ holder: 'alive' }])
  })
})

describe('Update plan', () => {
  test('the next update of a symbol is the first of any source', async () => {
    const plan = new UpdatePlan(database)
    await plan.replace(
      'alpha-vantage',
      new Map([
        ['AAPL', FRIDAY_MS + 2],
        ['SPY', FRIDAY_MS + 3],
      ]),
    )
    await plan.replace('finnhub', new Map([['AAPL', FRIDAY_MS + 1]]))
    expect(await plan.find(['AAPL', 'SPY', 'NOPE'])).toEqual(
      new Map([
        ['AAPL', { symbol: 'AAPL', source: 'finnhub', nextUpdateAtMs: FRIDAY_MS + 1 }],
        ['SPY', { symbol: 'SPY', source: 'alpha-vantage', nextUpdateAtMs: FRIDAY_MS + 3 }],
      ]),
    )
  })

  test('a source that plans anew forgets what it does not plan any more', async () => {
    const plan = new UpdatePlan(database)
    await plan.replace(
      'finnhub',
      new Map([
        ['AAPL', FRIDAY_MS],
        ['SPY', FRIDAY_MS],
      ]),
    )
    await plan.replace('finnhub', new Map([['SPY', FRIDAY_MS + 60_000]]))
    expect([...(await plan.find(['AAPL', 'SPY'])).values()]).toEqual([
      { symbol: 'SPY', source: 'finnhub', nextUpdateAtMs: FRIDAY_MS + 60_000 },
    ])
  })
})
