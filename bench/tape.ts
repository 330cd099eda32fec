import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { replaySource } from '../ingest/sources/replay/replay.ts'
import { systemClock } from '../platform/clock.ts'
import { Report } from './report.ts'
import { recordedTape } from './ticks.ts'

const ROUNDS = 5

/** A recorded tape, read and made into valid ticks, against its lines alone. Time of the processor, of all threads. */
export async function tape(): Promise<Report> {
  const file = recordedTape()
  if (file === undefined) throw new Error('tape needs TAPE_DIR')
  const report = new Report(`${basename(file)}, read ${ROUNDS} times each in turn`)
  const source = await replaySource({ file, speed: 'max', clock: systemClock })
  const lines: number[] = []
  const ticks: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    lines.push(await perSecond(() => countLines(file)))
    ticks.push(await perSecond(() => countTicks(source)))
  }
  const bare = report.figure('bare gunzip and lines', 'k rows/s', lines)
  const ours = report.figure('valid ticks', 'k rows/s', ticks)
  report.ratio('ticks / lines', ours / bare)
  return report
}

/** Thousands a second. */
async function perSecond(counted: () => Promise<number>): Promise<number> {
  const before = process.cpuUsage()
  const count = await counted()
  const { user, system } = process.cpuUsage(before)
  return (count / (user + system)) * 1_000
}

async function countLines(file: string): Promise<number> {
  let count = 0
  for await (const _line of createInterface({ input: createReadStream(file).pipe(createGunzip()) })) count++
  return count - 1 // The header.
}

async function countTicks(source: Awaited<ReturnType<typeof replaySource>>): Promise<number> {
  let count = 0
  for await (const { ticks } of source.read(undefined, new AbortController().signal)) count += ticks.length
  return count
}
