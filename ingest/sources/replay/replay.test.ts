import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPlatformError } from '../../../domain/errors.ts'
import { type Tick, tick } from '../../../domain/tick.ts'
import { ManualClock } from '../../../platform/clock.ts'
import { readSource } from '../../../tests/support/source-reading.ts'
import { replaySource } from './replay.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const OPEN_MS = Date.UTC(2013, 9, 7, 13, 30)
const HEADER = 'time,symbol,price,size\n'

let folder = ''
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function tape(content: string | Buffer, ending = '.csv'): Promise<string> {
  const file = join(folder, `tape-${files++}${ending}`)
  await writeFile(file, content)
  return file
}

const open = async (content: string | Buffer, ending?: string) =>
  replaySource({ file: await tape(content, ending), speed: 'max', clock: new ManualClock(NOW_MS) })

const read = async (content: string | Buffer, ending?: string) => readSource(await open(content, ending))

const iso = (ms: number) => new Date(ms).toISOString()
const row = (i: number, symbol = 'SPY') => `${iso(OPEN_MS + i)},${symbol},${100 + i},${i}\n`
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i)).join('')

describe('a tape', () => {
  test('is told row by row, each with its number as position and seq', async () => {
    const source = await replaySource({
      file: await tape(`${HEADER}2013-10-07T13:30:00.464Z,SPY,167.4100,100\n1381152600465,BRK.B,1,0\n`),
      speed: 'max',
      clock: new ManualClock(NOW_MS),
      name: 'replay:test',
    })
    const common = { ingestTimeMs: NOW_MS, source: 'replay:test' }
    expect((await readSource(source)).ticks).toEqual([
      { symbol: 'SPY', price: 167.41, size: 100, eventTimeMs: OPEN_MS + 464, seq: 0, position: 0, ...common },
      { symbol: 'BRK.B', price: 1, size: 0, eventTimeMs: OPEN_MS + 465, seq: 1, position: 1, ...common },
    ])
  })

  test('names its columns: more of them, in any order, quoted, after a byte order mark', async () => {
    const { ticks } = await read(`\ufeff"Venue",SIZE,Price,symbol,time\r\nP,5,1.5,"IBM",${iso(OPEN_MS)}\r\n`)
    expect(ticks).toMatchObject([{ symbol: 'IBM', price: 1.5, size: 5, eventTimeMs: OPEN_MS }])
  })

  test('names the source after the file', async () => {
    const file = join(folder, 'trades-2013-10-07.csv.gz')
    await writeFile(file, gzipSync(HEADER + row(0)))
    const source = await replaySource({ file, speed: 'max', clock: new ManualClock(NOW_MS) })
    expect(source.name).toBe('replay:trades-2013-10-07')
  })

  test('may be compressed', async () => {
    const plain = await read(HEADER + rows(20_000))
    const compressed = await read(gzipSync(HEADER + rows(20_000)), '.csv.gz')
    const told = (ticks: readonly Tick[]) => ticks.map(({ source, ...fields }) => fields)
    expect(compressed.ticks).toHaveLength(20_000)
    expect(told(compressed.ticks)).toEqual(told(plain.ticks))
  })

  test('may have no rows', async () => {
    const { ticks, checkpoints } = await read(HEADER)
    expect([ticks, checkpoints.at(-1)?.checkpoint.finished]).toEqual([[], true])
  })

  test('comes in bounded batches', async () => {
    const source = await open(HEADER + rows(12_000))
    const sizes: number[] = []
    for await (const { ticks } of source.read(undefined, new AbortController().signal)) sizes.push(ticks.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5_000)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(12_000)
  })
})

describe('a bad row', () => {
  test.each([
    ['has a price that is no number', `${iso(OPEN_MS)},SPY,NaN,1`, 'price must be a decimal number, was "NaN"'],
    ['has a price that is empty', `${iso(OPEN_MS)},SPY,,1`, 'price must be a decimal number, was ""'],
    ['has a negative price', `${iso(OPEN_MS)},SPY,-1,1`, 'Tick price must be above 0'],
    ['has an absurd price', `${iso(OPEN_MS)},SPY,1e300,1`, 'Tick price must be above 0 and at most'],
    ['has a size that is no number', `${iso(OPEN_MS)},SPY,1,many`, 'size must be a decimal number, was "many"'],
    ['has a negative size', `${iso(OPEN_MS)},SPY,1,-5`, 'Tick size must be from 0'],
    ['has a time that is none', 'noon,SPY,1,1', 'time must be ISO 8601 in UTC'],
    [
      'has a time in seconds',
      '1381152600,SPY,1,1',
      'time must be later than March 1973, in milliseconds and not in seconds',
    ],
    ['is from the future', `${iso(NOW_MS + 3_600_000)},SPY,1,1`, 'Tick event time must not be more than'],
    ['has no symbol', `${iso(OPEN_MS)},,1,1`, 'Tick symbol must be'],
    ['has a symbol that cannot be', `${iso(OPEN_MS)},spy us,1,1`, 'Tick symbol must be'],
    ['has too few columns', `${iso(OPEN_MS)},SPY,1`, 'a row must have 4 columns, had 3'],
    ['has too many columns', `${iso(OPEN_MS)},SPY,1,1,1`, 'a row must have 4 columns, had 5'],
    ['has broken quotes', `${iso(OPEN_MS)},"SPY"x,1,1`, 'a quoted field must be closed'],
  ])('that %s is rejected with its line, its bytes and the reason; the rest goes on', async (_what, bad, reason) => {
    const { ticks, rejects } = await read(`${HEADER}${row(0)}${bad}\n${row(2)}`)
    expect(ticks.map(({ position }) => position)).toEqual([0, 2])
    expect(rejects).toHaveLength(1)
    expect(rejects[0].position).toBe(1)
    expect(rejects[0].reason).toMatch(/^line 3: /)
    expect(rejects[0].reason).toContain(reason)
    expect(rejects[0].original.toString()).toBe(bad)
  })

  test('at the end, where the file was cut off, is rejected', async () => {
    const { ticks, rejects } = await read(`${HEADER}${row(0)}${row(1).slice(0, 30)}`)
    expect([ticks.length, rejects[0].reason]).toEqual([1, 'line 3: a row must have 4 columns, had 3'])
  })

  test('longer than the bound is rejected with its beginning', async () => {
    const { ticks, rejects } = await read(`${HEADER}${'x'.repeat(3_000_000)}\n${row(1)}`)
    expect(ticks.map(({ position }) => position)).toEqual([1])
    expect(rejects[0].reason).toContain('line 2: a line must be at most 1048576 bytes')
    expect(rejects[0].original).toHaveLength(65_536)
  })

  test('that is long, but within the bound, is cut to what a dead letter may hold', async () => {
    const { rejects } = await read(`${HEADER}${'x'.repeat(100_000)}\n`)
    expect(rejects[0].reason).toContain('only its first 65536 bytes are kept')
    expect(rejects[0].original).toHaveLength(65_536)
  })

  test('after many of them the batch is handed over, so they do not pile up in memory', async () => {
    const source = await open(HEADER + `${'x'.repeat(60_000)}\n`.repeat(300))
    for await (const { rejects } of source.read(undefined, new AbortController().signal))
      expect(rejects.reduce((sum, { original }) => sum + original.length, 0)).toBeLessThan(5_000_000)
  })
})

describe('before anything is told', () => {
  const refusal = async (file: string) =>
    replaySource({ file, speed: 'max', clock: new ManualClock(NOW_MS) }).then(
      () => 'accepted',
      (error) => (isPlatformError(error, 'INVALID_TAPE') ? error.message : error),
    )
  const whole = gzipSync(HEADER + rows(20_000))
  const damaged = Buffer.from(whole)
  damaged.fill(0x55, whole.length / 2, whole.length / 2 + 64)

  test.each<[string, string | Buffer, string, string]>([
    ['is empty', '', '.csv', 'is empty'],
    ['is empty inside its gzip', gzipSync(''), '.csv.gz', 'is empty'],
    ['has no header', row(0), '.csv', 'has no column time'],
    ['has a column missing', 'time,symbol,price\n', '.csv', 'has no column size'],
    ['has a column twice', 'time,symbol,price,size,price\n', '.csv', 'must have one column price'],
    ['is named .gz and is not gzip', HEADER, '.csv.gz', 'is named .gz and is not gzip'],
    ['is gzip and not named .gz', gzipSync(HEADER), '.csv', 'must be named .csv.gz'],
    ['is a truncated gzip', whole.subarray(0, whole.length - 100), '.csv.gz', 'is a truncated gzip'],
    ['is a gzip without its checksum', whole.subarray(0, whole.length - 8), '.csv.gz', 'is a truncated gzip'],
    ['is a damaged gzip', damaged, '.csv.gz', 'is a damaged gzip'],
    ['is binary', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]), '.csv', 'is not text'],
    ['has one endless line', 'x'.repeat(2_000_000), '.csv', 'has no header'],
  ])('a file that %s is refused with a sentence', async (_what, content, ending, sentence) => {
    const file = await tape(content, ending)
    const message = await refusal(file)
    expect(message).toContain(sentence)
    expect(message).toContain(file)
  })

  test('a file that does not exist is refused, and what a tape is, is said', async () => {
    expect(await refusal(join(folder, 'missing.csv'))).toMatch(/does not exist; a tape is a CSV or CSV.gz file/)
  })

  test('a folder is refused', async () => {
    const file = join(folder, 'folder.csv')
    await mkdir(file)
    expect(await refusal(file)).toContain('is a directory')
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a speed of %s is refused', async (speed) => {
    const file = await tape(HEADER)
    await expect(replaySource({ file, speed, clock: new ManualClock() })).rejects.toThrow('Speed of a replay')
  })
})

describe('pace', () => {
  /** Tells what was told, and when, while time passes. */
  async function played(content: string, speed: number, passMs: number) {
    const clock = new ManualClock(NOW_MS)
    const source = await replaySource({ file: await tape(content), speed, clock })
    const stop = new AbortController()
    const told: { atMs: number; position: number; ingestTimeMs: number }[] = []
    const reading = (async () => {
      for await (const batch of source.read(undefined, stop.signal))
        for (const { position, ingestTimeMs } of batch.ticks)
          told.push({ atMs: clock.now() - NOW_MS, position, ingestTimeMs })
    })()
    await expect.poll(() => clock.sleeping).toBe(1)
    for (let ms = 0; ms < passMs; ms++) {
      await clock.advance(1)
      await turn()
    }
    stop.abort()
    await reading
    return told
  }
  const at = (...offsets: number[]) => HEADER + offsets.map((offset) => `${iso(OPEN_MS + offset)},SPY,1,1\n`).join('')

  test('at speed 1 every row is told as long after the first as it happened', async () => {
    const told = await played(at(0, 0, 100, 350, 2_000), 1, 400)
    expect(told.map(({ atMs, position }) => [atMs, position])).toEqual([
      [0, 0],
      [0, 1],
      [100, 2],
      [350, 3],
    ])
  })

  test('at speed 10 the gaps are a tenth', async () => {
    const told = await played(at(0, 1_000, 3_000, 9_000), 10, 400)
    expect(told.map(({ atMs }) => atMs)).toEqual([0, 100, 300])
  })

  test('a row is first seen when it is told', async () => {
    for (const { atMs, ingestTimeMs } of await played(at(0, 50, 120, 999), 1, 200))
      expect(ingestTimeMs).toBe(NOW_MS + atMs)
  })

  test('a row that goes back in time is told at once', async () => {
    const told = await played(at(0, 100, 20, 150, 999), 1, 200)
    expect(told.map(({ atMs }) => atMs)).toEqual([0, 100, 100, 150])
  })

  test('a gap of months is kept, although no timer is that long', async () => {
    const clock = new ManualClock(NOW_MS)
    let longestMs = 0
    const file = await tape(at(0, 100 * 86_400_000))
    const source = await replaySource({
      file,
      speed: 1,
      clock: {
        now: clock.now,
        sleep: (ms, signal) => {
          longestMs = Math.max(longestMs, ms)
          return clock.sleep(ms, signal)
        },
      },
    })
    const reading = readSource(source)
    await expect.poll(() => clock.sleeping).toBe(1)
    await clock.advance(100 * 86_400_000)
    const [, last] = (await reading).ticks
    expect(last.ingestTimeMs).toBe(NOW_MS + 100 * 86_400_000)
    expect(longestMs).toBeLessThan(2 ** 31)
  })

  test('a wait of hours ends at once when it is stopped', async () => {
    expect(await played(at(0, 36_000_000), 1, 10)).toHaveLength(1)
  })
})

describe('a checkpoint', () => {
  test('of a tape that was played to its end starts it over, with the same positions', async () => {
    const source = await open(HEADER + rows(10))
    const first = await readSource(source)
    const again = await readSource(source, { from: first.checkpoints.at(-1)?.checkpoint })
    expect(again.ticks).toEqual(first.ticks)
  })

  test('of another file of the same name is refused', async () => {
    const file = await tape(HEADER + rows(10))
    const options = { file, speed: 'max', clock: new ManualClock(NOW_MS) } as const
    const { checkpoints } = await readSource(await replaySource(options))
    await writeFile(file, HEADER + rows(11))
    const reading = readSource(await replaySource(options), { from: checkpoints[0].checkpoint })
    await expect(reading).rejects.toThrow(/is not the file that replay:tape-\d+ was played from before/)
  })

  test('of something else is refused', async () => {
    const source = await open(HEADER)
    await expect(readSource(source, { from: JSON.parse('{"row":-1}') })).rejects.toThrow('is not one of a tape')
  })
})

describe('whatever is in a file', () => {
  const cell = fc.oneof(
    fc.constantFrom(
      'SPY',
      iso(OPEN_MS),
      '1',
      '1.5',
      '-1',
      '',
      '"',
      '"a',
      'NaN',
      '1e400',
      '\u0000',
      '\r',
      '9'.repeat(30),
    ),
    fc.string({ maxLength: 8 }),
  )
  const goodRow = fc.nat({ max: 50 }).map((i) => row(i))
  const mangledRow = fc.array(cell, { maxLength: 6 }).map((cells) => `${cells.join(',')}\n`)
  const text = fc.array(fc.oneof(goodRow, mangledRow), { maxLength: 30 }).map((lines) => HEADER + lines.join(''))

  test('a row becomes a valid tick or a reject, and no position is told twice', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const reading = await read(content).catch((error) => {
          expect(isPlatformError(error, 'INVALID_TAPE')).toBe(true)
          return undefined
        })
        if (reading === undefined) return
        for (const told of reading.ticks) expect(tick({ ...told })).toEqual(told)
        const positions = [...reading.ticks, ...reading.rejects].map(({ position }) => position)
        expect(positions.toSorted((a, b) => a - b)).toEqual(positions.map((_, i) => i))
      }),
      { numRuns: 200 },
    )
  })

  test('bytes at random are refused or read, never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.boolean(), async (bytes, header, gzip) => {
        const content = header ? Buffer.concat([Buffer.from(HEADER), bytes]) : Buffer.from(bytes)
        const compressed = gzip ? gzipSync(content) : content
        const reading = await read(compressed, gzip ? '.csv.gz' : '.csv').catch((error) => error)
        if (reading instanceof Error) expect(isPlatformError(reading, 'INVALID_TAPE')).toBe(true)
        else for (const told of reading.ticks) expect(tick({ ...told })).toEqual(told)
      }),
      { numRuns: 200 },
    )
  })

  test.each(['.csv', '.csv.gz'])('reading %s goes on from any batch with the same facts', async (ending) => {
    const bad = `${iso(OPEN_MS)},SPY,x,1\n`
    const lines = Array.from({ length: 15_000 }, (_, i) => (i % 1_000 === 7 ? bad : row(i)))
    const content = HEADER + lines.join('')
    const source = await open(ending === '.csv.gz' ? gzipSync(content) : content, ending)
    const whole = await readSource(source)
    expect(whole.ticks).toHaveLength(14_985)
    const all = [...whole.ticks, ...whole.rejects].toSorted((a, b) => a.position - b.position)
    for (const { checkpoint, told } of whole.checkpoints.filter(({ checkpoint: { finished } }) => !finished)) {
      const rest = await readSource(source, { from: checkpoint })
      expect([...rest.ticks, ...rest.rejects].toSorted((a, b) => a.position - b.position)).toEqual(all.slice(told))
    }
  })
})
