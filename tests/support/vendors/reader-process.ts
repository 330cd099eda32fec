// node reader-process.ts <JSON of ReaderOrder>
// A process to be killed: appends what it reads to a file, then saves the checkpoint, as ingest does with bus and store.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { QuotaStore } from '../../../ingest/quota/quota.ts'
import { type FastTime, fastClock } from './fast-clock.ts'
import { openCase } from './polled-reader.ts'
import { POLLED_VENDORS } from './polled-vendors.ts'
import { STREAMED_VENDORS } from './streamed-vendors.ts'

const SUITES = { polled: POLLED_VENDORS, streamed: STREAMED_VENDORS }

export interface ReaderOrder {
  readonly suite: keyof typeof SUITES
  readonly vendor: string
  readonly url: string
  readonly socketUrl?: string
  readonly folder: string
  readonly time: FastTime
}

const order: ReaderOrder = JSON.parse(process.argv[2] ?? '{}')
const vendor = SUITES[order.suite][order.vendor]
if (!vendor) throw new Error(`There is no ${order.suite} vendor ${order.vendor}`)

/** Whole or not at all, also for a process that is killed in between. */
function write(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(value))
  renameSync(`${file}.new`, file)
}
const read = (file: string): unknown => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)

/** A line that the life before was killed in was not told. */
function cutTornLine(file: string): void {
  if (existsSync(file)) truncateSync(file, readFileSync(file).lastIndexOf('\n') + 1)
}

mkdirSync(order.folder, { recursive: true })
const quotaFile = (name: string) => join(order.folder, `quota-${encodeURIComponent(name)}.json`)
const quotas: QuotaStore = {
  load: async (name) => read(quotaFile(name)) as Awaited<ReturnType<QuotaStore['load']>>,
  save: async (name, spent) => write(quotaFile(name), spent),
}
const checkpointFile = join(order.folder, 'checkpoint.json')
const [ticksFile, factsFile] = ['ticks.jsonl', 'facts.jsonl'].map((name) => join(order.folder, name))
for (const file of [ticksFile, factsFile]) cutTornLine(file)
const source = openCase(vendor, {
  url: order.url,
  ...(order.socketUrl !== undefined && { socketUrl: order.socketUrl }),
  clock: fastClock(order.time),
  quotas,
  logged: () => undefined,
})
for await (const { ticks, facts = [], checkpoint } of source.read(read(checkpointFile), new AbortController().signal)) {
  for (const tick of ticks) appendFileSync(ticksFile, `${JSON.stringify(tick)}\n`)
  for (const fact of facts) appendFileSync(factsFile, `${JSON.stringify(fact)}\n`)
  write(checkpointFile, checkpoint)
}
