import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { positionOf } from '../../ingest/reject-position.ts'
import { OTHER_REASONS, REASONS_MAX, type RejectReplay, replayRejects } from '../../ingest/reject-replay.ts'
import type { Reject, Source } from '../../ingest/source.ts'
import { VendorError } from '../../ingest/vendor-error.ts'
import type { Database } from '../../platform/store/database.ts'
import { DeadLetters } from '../../platform/store/dead-letters.ts'
import { oldestInOutbox } from '../../platform/store/outbox.ts'
import { PutAsideLetters } from '../../platform/store/put-aside.ts'
import { testDatabase } from '../support/database.ts'
import { articleFact, codec } from '../support/ingest-world.ts'

let database: Database
let shelf: PutAsideLetters
let deadLetters: DeadLetters

beforeAll(async () => {
  database = await testDatabase()
  shelf = new PutAsideLetters(database)
  deadLetters = new DeadLetters(database.pool)
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => database.pool.query('TRUNCATE dead_letters, outbox'))

const putAside = (text: string, feed: string | undefined = 'headlines'): Reject => {
  const original = Buffer.from(text)
  return { position: positionOf(original), topic: 'news-data', reason: 'then', original, ...(feed && { feed }) }
}

/** Reads words: `bad` is still none, `half` has a part that is none, `none` holds nothing; anything else is an article. */
const words: Pick<Source, 'name' | 'reparse'> = {
  name: 'words',
  reparse: (feed, original) => {
    if (feed !== 'headlines') return undefined
    const text = original.toString()
    if (text.startsWith('garbled')) throw new VendorError('VENDOR_ANSWER', `${text} is no JSON`)
    if (text === 'none') return { facts: [], rejects: [] }
    if (text === 'bad') return { facts: [], rejects: [{ ...putAside('bad'), reason: 'still bad' }] }
    const rejects = text === 'half' ? [{ ...putAside('other half'), reason: 'now' }] : []
    return { facts: [articleFact(text, 'AAPL')], rejects }
  },
}

const replay = (options: Partial<RejectReplay> = {}) =>
  replayRejects({ source: words, dryRun: false, shelf, deadLetters, codec, ...options })
const inOutbox = async () => {
  const events = await oldestInOutbox(database.pool, 1_000, 1e9)
  return events.map(({ topic, key, value }) => ({ topic, key, id: codec.decode('news-data', value).id }))
}
const waiting = async () => (await shelf.page('words', { first: 1_000 })).map(({ original }) => original.toString())

test('rejects are told on the dead-letter topic of what they were meant for, with their feed', async () => {
  const { topic: _, ...tick } = putAside('no tick', '')
  await deadLetters.append('words', [putAside('one'), tick])
  const events = await oldestInOutbox(database.pool, 10, 1e9)
  expect(Object.fromEntries(events.map(({ topic, headers }) => [topic, headers['x-original-feed']]))).toEqual({
    'news-data.dlq': 'headlines',
    'stock-data.dlq': undefined,
  })
})

describe('Rejects that are replayed', () => {
  test('are on their way to their topic, and are not replayed again', async () => {
    await deadLetters.append('words', [putAside('one'), putAside('two')])
    await database.pool.query('TRUNCATE outbox')
    expect(await replay()).toMatchObject([{ feed: 'headlines', letters: 2, replayed: 2, facts: 2 }])
    expect((await inOutbox()).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { topic: 'news-data', key: 'AAPL', id: 'test:one' },
      { topic: 'news-data', key: 'AAPL', id: 'test:two' },
    ])
    expect(await replay()).toEqual([])
    expect(await inOutbox()).toHaveLength(2)
    expect(await deadLetters.count('ingest', 'words')).toBe(2)
  })

  test('stay where they cannot be read still, each with its reason', async () => {
    await deadLetters.append('words', [putAside('bad'), putAside('garbled 1'), putAside('good')])
    const [{ replayed, reasons }] = await replay()
    expect(replayed).toBe(1)
    expect(Object.fromEntries(reasons)).toEqual({ 'still bad': 1, 'garbled 1 is no JSON': 1 })
    expect((await waiting()).toSorted()).toEqual(['bad', 'garbled 1'])
  })

  test('are read without telling anything, where they hold nothing', async () => {
    await deadLetters.append('words', [putAside('none')])
    expect(await replay()).toMatchObject([{ replayed: 1, facts: 0 }])
    expect(await waiting()).toEqual([])
  })

  test('leave the part of them that still is no fact', async () => {
    await deadLetters.append('words', [putAside('half')])
    expect(await replay()).toMatchObject([{ replayed: 1, facts: 1 }])
    expect(await shelf.page('words', { first: 10 })).toMatchObject([{ feed: 'headlines', reason: 'now' }])
    expect(await waiting()).toEqual(['other half'])
  })

  test('stay where nothing says how to read them, or nothing reads them any more', async () => {
    await deadLetters.append('words', [putAside('one', ''), putAside('two', 'gone')])
    const feeds = await replay()
    expect(feeds.map(({ feed, replayed }) => [feed, replayed]).toSorted()).toEqual([
      [null, 0],
      ['gone', 0],
    ])
    expect(await waiting()).toHaveLength(2)
  })

  test('are only told about in a dry run', async () => {
    await deadLetters.append('words', [putAside('one'), putAside('half')])
    await database.pool.query('TRUNCATE outbox')
    expect(await replay({ dryRun: true })).toMatchObject([{ letters: 2, replayed: 2, facts: 2 }])
    expect(await inOutbox()).toEqual([])
    expect(await waiting()).toHaveLength(2)
  })

  test('are only those of the feed that was asked for', async () => {
    await deadLetters.append('words', [putAside('one'), putAside('two', 'gone')])
    expect(await replay({ feed: 'headlines' })).toMatchObject([{ feed: 'headlines', letters: 1 }])
    expect(await waiting()).toEqual(['two'])
  })

  test('may be many: they are read page by page, and reasons are counted up to a bound', async () => {
    await deadLetters.append(
      'words',
      Array.from({ length: 250 }, (_, i) => putAside(i % 2 === 0 ? `word ${i}` : `garbled ${i}`)),
    )
    const [{ letters, replayed, reasons }] = await replay()
    expect([letters, replayed]).toEqual([250, 125])
    expect(reasons.size).toBe(REASONS_MAX + 1)
    expect(reasons.get(OTHER_REASONS)).toBe(125 - REASONS_MAX)
    expect(await waiting()).toHaveLength(125)
  })

  test('are told once by two who replay at once', async () => {
    await deadLetters.append('words', [putAside('one')])
    await database.pool.query('TRUNCATE outbox')
    await Promise.all([replay(), replay(), replay()])
    expect(await inOutbox()).toHaveLength(1)
  })
})

describe('npm run replay-rejects', () => {
  // Without a registry: ids of schemas are then those of this process.
  const { SCHEMA_REGISTRY_URL: _, ...environment } = process.env
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['scripts/replay-rejects.ts', ...args], {
      env: { ...environment, DATABASE_URL: database.url, LOG_LEVEL: 'silent' },
      timeout: 60_000,
    })

  test('replays what a real source reads today, without a key and without asking its vendor', async () => {
    const rate = '[{"date":"2026-11-20","base":"EUR","quote":"USD","rate":1.1575}]'
    await deadLetters.append('frankfurter', [putAside(rate, 'ecb-rates'), putAside('<html>', 'ecb-rates')])
    await database.pool.query('TRUNCATE outbox')
    const dry = await run('frankfurter', '--dry-run')
    expect(dry.stdout).toMatch(/^frankfurter ecb-rates: of 2 put aside 1 could be read, \d facts\n {2}1 not: .+\n$/)
    await run('frankfurter', '--feed', 'ecb-rates')
    const events = await oldestInOutbox(database.pool, 10, 1e9)
    expect(events[0]).toMatchObject({ topic: 'economic-data', key: 'ECB.EURUSD' })
    expect(codec.decode('economic-data', events[0].value)).toMatchObject({ date: '2026-11-20', value: 1.1575 })
    expect((await run('frankfurter', '--feed', 'nothing')).stdout).toContain('nothing is put aside')
  })

  test('says what it needs where it is asked wrongly', async () => {
    await expect(run()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('Name one source') })
    await expect(run('tape')).rejects.toMatchObject({ stderr: expect.stringContaining('There is no source tape') })
    expect((await run('--help')).stdout).toContain('npm run replay-rejects -- SOURCE')
  })
})
