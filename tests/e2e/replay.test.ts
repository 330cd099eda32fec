import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectExact } from '../support/expect-exact.ts'
import { metric, type PlatformProcess, startPlatform, temporaryDataDir } from '../support/platform-process.ts'
import { everyBackend } from '../support/platform-roles.ts'
import { printsOf } from '../support/recomputation.ts'
import { openStored } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'

interface Summary {
  read: number
  stored: number
  rejected: number
  barsPerSymbol: Record<string, number>
  ticksPerSecond: number
  latencyMs: { p50: number | null; p99: number | null }
}

const STORED = 'processor_records_total{processor="ticks"}'
const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

const whole = (tape: string) => ['--replay', tape, '--speed', 'max', '--exit-when-done', '--summary', 'json']

async function finished(platform: PlatformProcess): Promise<Summary> {
  const code = await platform.exited
  expect({ code, stderr: platform.stderr().slice(0, 2_000) }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(platform.stdout().trim().split('\n').at(-1) ?? '') as Summary
}

describe('replaying a tape', () => {
  test('stores every tick, and bars and quotes equal a recomputation from the file', async () => {
    const tape = writeTape(walk(20_000, 50, ['SPY', 'BAC', 'NEVER.SEEN']))
    await using platform = await startPlatform(whole(tape))
    const summary = await finished(platform)
    const prints = printsOf(tape)
    expect(summary).toMatchObject({ read: 20_000, stored: 20_000, rejected: 0 })
    expect(Object.keys(summary.barsPerSymbol)).toEqual(['BAC', 'NEVER.SEEN', 'SPY'])
    await using stored = await openStored(platform.dataDir)
    await expectExact(stored, prints)
  })

  test('tells of bad rows in the dead letters, and the rest goes on', async () => {
    const rows = walk(1_000, 100)
    const bad = [
      { ...rows[10], price: 'NaN' },
      { ...rows[500], price: -1 },
      { ...rows[900], symbol: 'not a symbol' },
    ]
    const tape = writeTape([...rows.slice(0, 11), bad[0], ...rows.slice(11, 501), bad[1], ...rows.slice(501), bad[2]])
    await using platform = await startPlatform(whole(tape))
    expect(await finished(platform)).toMatchObject({ read: 1_003, stored: 1_000, rejected: 3 })
    await using stored = await openStored(platform.dataDir)
    const letters = await stored.rows<[string, string, Buffer]>(
      'SELECT code, reason, value FROM dead_letters ORDER BY "offset"',
    )
    expect(letters.map(([code]) => code)).toEqual(['INVALID_EVENT', 'INVALID_EVENT', 'INVALID_EVENT'])
    // The header is line 1.
    expect(letters.map(([, reason]) => reason.match(/^line \d+/)?.[0])).toEqual(['line 13', 'line 504', 'line 1004'])
    expect(letters[1][2].toString()).toContain(',-1,')
  })

  test.each([
    ['a file that is not there', join(import.meta.dirname, 'nothing.csv'), /nothing\.csv/],
    ['a file that is not a tape', import.meta.filename, /time|header|column/i],
  ])('%s is said in a sentence before anything starts', async (_name, file, sentence) => {
    await using platform = await startPlatform(whole(file))
    expect(await platform.exited).toBe(1)
    expect(platform.stderr()).toMatch(sentence)
    expect(platform.stderr()).not.toMatch(/\n\s+at /)
    expect(existsSync(platform.dataDir)).toBe(false)
  })

  test('goes on from its checkpoint after kill -9, and the store ends complete with nothing doubled', async () => {
    const tape = writeTape(walk(150_000, 20, ['SPY', 'BAC', 'AIG', 'IBM']))
    const prints = printsOf(tape)
    const dataDir = await temporaryDataDir()
    let kills = 0
    for (const share of [0.05, 0.2, 0.3]) {
      await using platform = await startPlatform(whole(tape), {}, dataDir)
      const reached = async () => {
        await platform.ready()
        while (platform.child.exitCode === null && (await metric(platform, STORED)) < share * prints.length)
          await soon()
      }
      await Promise.race([reached(), platform.exited])
      if (platform.child.exitCode === null && platform.child.kill('SIGKILL')) kills++
      await platform.exited
    }
    expect(kills).toBeGreaterThan(1)
    await using platform = await startPlatform(whole(tape), {}, dataDir)
    expect(await finished(platform)).toMatchObject({ read: prints.length, stored: prints.length, rejected: 0 })
    await using stored = await openStored(dataDir)
    await expectExact(stored, prints)
  })

  test('played a second time it changes nothing, and that is said', async () => {
    const tape = writeTape(walk(2_000, 500))
    const dataDir = await temporaryDataDir()
    for (const time of [1, 2]) {
      await using platform = await startPlatform(whole(tape), {}, dataDir)
      expect(await finished(platform)).toMatchObject({ read: 2_000, stored: 2_000 })
      expect(platform.stdout().includes('was played to its end before')).toBe(time === 2)
    }
    await using stored = await openStored(dataDir)
    await expectExact(stored, printsOf(tape))
  })

  const recorded = process.env.TAPE_DIR && join(process.env.TAPE_DIR, 'trades-2013-10-07.csv.gz')
  if (recorded && existsSync(recorded))
    test.each(everyBackend)(
      'the recorded tape of 2013-10-07 is stored whole on %s and its bars equal a recomputation',
      async (_name, environment) => {
        await using platform = await startPlatform(whole(recorded), environment())
        const summary = await finished(platform)
        expect(summary).toMatchObject({ read: 388_417, stored: 388_417, rejected: 0 })
        expect(summary.latencyMs.p50).not.toBeNull()
        const prints = printsOf(recorded)
        await using stored = await openStored(platform.dataDir)
        await expectExact(stored, prints)
      },
    )
})
