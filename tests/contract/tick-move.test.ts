import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Tick, tick } from '../../domain/tick.ts'
import { TickColumns } from '../../domain/tick-columns.ts'
import type { Connection } from '../../platform/store/connection.ts'
import type { Database } from '../../platform/store/database.ts'
import { type Move, StreamCheckpoints } from '../../platform/store/stream-checkpoints.ts'
import { moveAndAppend, type PartitionTicks } from '../../platform/store/tick-move.ts'
import { appendTicks, type TickRef, upsertQuotes } from '../../platform/store/tick-writer.ts'
import { testDatabase } from '../support/database.ts'
import { OPENING_MS } from '../support/processing.ts'

// A small transaction of ticks is one statement. It must come to what the statements of a large one come to.

const checkpoints = new StreamCheckpoints('ticks', 'stock-data')
let database: Database
let connection: Connection

beforeAll(async () => {
  database = await testDatabase()
  connection = await database.checkout()
})
afterAll(async () => {
  connection.release()
  await database[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await connection.query('TRUNCATE stock_data, quotes, stream_checkpoint')
  await connection.query(
    `INSERT INTO stream_checkpoint (app, topic, part, next_offset, epoch) SELECT 'ticks', 'stock-data', *, 0, 1 FROM generate_series(0, 2)`,
  )
})

const print = (symbol: string, seq: number, fields: Partial<Tick> = {}): Tick =>
  tick({
    symbol,
    price: 100 + seq,
    size: 1,
    eventTimeMs: OPENING_MS + seq,
    ingestTimeMs: OPENING_MS + seq,
    seq,
    source: 'test',
    position: seq,
    ...fields,
  })

function batch(partition: number, ...ticks: Tick[]): PartitionTicks {
  const columns = new TickColumns(ticks.length)
  for (const [offset, each] of ticks.entries()) columns.append(each, offset)
  return { partition, ticks: columns }
}

const move = (partition: number, fields: Partial<Move> = {}): Move => ({
  partition,
  epoch: 1,
  fromOffset: 0,
  toOffset: 10,
  sources: new Map(),
  ...fields,
})

const select = async (sql: string) => (await connection.query({ text: sql, rowMode: 'array' })).rows
const rows = () => select('SELECT symbol, seq::int, source, price FROM stock_data ORDER BY symbol, time, seq, source')
const quotes = () => select('SELECT symbol, time, seq::int, price, size, source FROM quotes ORDER BY symbol')
const offsets = () => select('SELECT part, next_offset::int FROM stream_checkpoint ORDER BY part')

describe('Ticks that move and are stored at once', () => {
  test('rows and the newest quote of each symbol are there, and the partitions have moved', async () => {
    const moved = await moveAndAppend(connection, checkpoints.moving([move(0), move(1)]), [
      batch(0, print('AAPL', 2), print('AAPL', 1)),
      batch(1, print('MSFT', 3)),
    ])
    expect(moved).toEqual(new Set([0, 1]))
    expect(await rows()).toHaveLength(3)
    expect((await quotes()).map(([symbol, , seq]) => [symbol, seq])).toEqual([
      ['AAPL', 2],
      ['MSFT', 3],
    ])
    expect(await offsets()).toEqual([
      [0, 10],
      [1, 10],
      [2, 0],
    ])
  })

  test.each<[string, Partial<Move>]>([
    ['somebody else has claimed', { epoch: 0 }],
    ['is not where we left it', { fromOffset: 5 }],
  ])('of a partition that %s nothing is stored, and the others go on', async (_why, fields) => {
    const moved = await moveAndAppend(connection, checkpoints.moving([move(0, fields), move(1)]), [
      batch(0, print('AAPL', 1)),
      batch(1, print('MSFT', 2)),
    ])
    expect(moved).toEqual(new Set([1]))
    expect((await rows()).map(([symbol]) => symbol)).toEqual(['MSFT'])
    expect((await quotes()).map(([symbol]) => symbol)).toEqual(['MSFT'])
  })

  test('where no partition moved there is nothing at all', async () => {
    const moved = await moveAndAppend(connection, checkpoints.moving([move(0, { epoch: 0 })]), [
      batch(0, print('AAPL', 1)),
    ])
    expect(moved).toEqual(new Set())
    expect([await rows(), await quotes()]).toEqual([[], []])
  })

  test('a partition moves also where no tick of it is left to store', async () => {
    const moved = await moveAndAppend(connection, checkpoints.moving([move(0)]), [])
    expect(moved).toEqual(new Set([0]))
    expect((await offsets())[0]).toEqual([0, 10])
  })

  test.each<[string, Tick[]]>([
    ['is there already', [print('AAPL', 1), print('AAPL', 2)]],
    ['comes twice', [print('AAPL', 2), print('AAPL', 2)]],
  ])('where a print %s nothing has happened at all', async (_how, ticks) => {
    await moveAndAppend(connection, checkpoints.moving([move(0, { toOffset: 1 })]), [batch(0, print('AAPL', 1))])
    const before = [await rows(), await quotes(), await offsets()]
    const moving = checkpoints.moving([move(0, { fromOffset: 1 }), move(1)])
    expect(await moveAndAppend(connection, moving, [batch(0, ...ticks), batch(1, print('MSFT', 3))])).toBeUndefined()
    expect([await rows(), await quotes(), await offsets()]).toEqual(before)
  })

  test('whatever the ticks, rows and quotes are those of a large transaction, or nothing where one of them is not new', async () => {
    const anyTick = fc.record({
      symbol: fc.constantFrom('AAPL', 'MSFT'),
      timeMs: fc.nat(3),
      seq: fc.nat(3),
      price: fc.nat(9),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyTick, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        async (transactions) => {
          const ticksOf = transactions.map((each) =>
            each.map(({ symbol, timeMs, seq, price }) =>
              print(symbol, seq, { eventTimeMs: OPENING_MS + timeMs, price: 1 + price }),
            ),
          )
          const outcomeOf = async (store: (ticks: readonly Tick[]) => Promise<boolean>) => {
            await connection.query('TRUNCATE stock_data, quotes')
            await connection.query('UPDATE stream_checkpoint SET next_offset = 0')
            const outcomes: unknown[] = []
            for (const ticks of ticksOf) outcomes.push([await store(ticks), await rows(), await quotes()])
            return outcomes
          }
          const oneByOne = async (ticks: readonly Tick[]) => {
            const { ticks: columns } = batch(0, ...ticks)
            const stored = await appendTicks(connection, [columns])
            await upsertQuotes(connection, newestOf(columns))
            return stored === 'all' || stored.size === ticks.length
          }
          let position = 0
          const atOnce = async (ticks: readonly Tick[]) => {
            const moving = checkpoints.moving([move(0, { fromOffset: position, toOffset: position + 1 })])
            const moved = await moveAndAppend(connection, moving, [batch(0, ...ticks)])
            if (moved) position++
            else await oneByOne(ticks)
            return moved !== undefined
          }
          expect(await outcomeOf(atOnce)).toEqual(await outcomeOf(oneByOne))
        },
      ),
      { numRuns: 50 },
    )
  })
})

/** By (event time, seq), the first of equals. */
function newestOf(ticks: TickColumns): Map<string, TickRef> {
  const newest = new Map<string, TickRef>()
  for (let row = 0; row < ticks.length; row++) {
    const than = newest.get(ticks.symbol[row])?.row
    const isNewer =
      than === undefined ||
      ticks.eventTimeMs[row] > ticks.eventTimeMs[than] ||
      (ticks.eventTimeMs[row] === ticks.eventTimeMs[than] && ticks.seq[row] > ticks.seq[than])
    if (isNewer) newest.set(ticks.symbol[row], { ticks, row })
  }
  return newest
}
