import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { data, subscribe } from '../tests/support/graphql.ts'
import { startPlatform } from '../tests/support/platform-process.ts'
import { Report } from './report.ts'

const ROUNDS = 3
const IDLE_MS = 10_000

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Resident memory of a process and of everything it started, in MiB; shared pages counted once (PSS). Linux only. */
function memoryMiB(pid: number): number {
  const own = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
  const kib = Number(own('smaps_rollup').match(/^Pss:\s+(\d+)/m)?.[1] ?? 0)
  return kib / 1_024
}

async function bareNode(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await sleep(500)
  const mib = memoryMiB(child.pid ?? 0)
  child.kill()
  return mib
}

export async function start(): Promise<Report> {
  const report = new Report(
    `all-in-one on embedded backends, simulated market at 100 ticks/s, ${ROUNDS} starts on a fresh data folder`,
  )
  const readyMs: number[] = []
  const firstTickMs: number[] = []
  const againMs: number[] = []
  const idleMiB: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now()
    await using platform = await startPlatform()
    await platform.ready()
    readyMs.push(performance.now() - startedMs)
    using ticks = subscribe<{ ticks: { symbol: string } }>(
      platform.url,
      'subscription { ticks(symbols: ["SPY", "AAPL", "MSFT", "NVDA", "BTC-USD"]) { symbol } }',
    )
    while (ticks.events.length === 0) await sleep(5)
    firstTickMs.push(performance.now() - startedMs)
    await data(platform.url, '{ instruments { edges { node { symbol } } } }')
    await sleep(IDLE_MS)
    idleMiB.push(memoryMiB(platform.child.pid ?? 0))
    platform.child.kill('SIGTERM')
    await platform.exited
    const againAtMs = performance.now()
    await using again = await startPlatform([], {}, platform.dataDir)
    await again.ready()
    againMs.push(performance.now() - againAtMs)
  }
  report.figure('first start to ready (database made)', 'ms', readyMs)
  report.figure('first start to the first tick at a subscriber', 'ms', firstTickMs)
  report.figure('second start to ready', 'ms', againMs)
  const idle = report.figure('memory of the process at 100 ticks/s (PSS, without PostgreSQL)', 'MiB', idleMiB)
  const bare = report.figure('memory of a bare Node process (PSS)', 'MiB', [await bareNode()])
  report.ratio('platform / bare Node, memory', idle / bare)
  return report
}
