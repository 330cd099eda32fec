// node --import tsx reader-process.ts <JSON of ReaderOrder>
// A process to be killed: appends what it reads to a file, then saves the checkpoint, as ingest does with bus and store.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { QuotaStore } from '../../../ingest/quota/quota.ts'
import { type FastTime, fastClock } from './fast-clock.ts'
import { openCase } from './polled-reader.ts'
import { POLLED_VENDORS } from './polled-vendors.ts'

export interface ReaderOrder {
  readonly vendor: string
  readonly url: string
  readonly folder: string
  readonly time: FastTime
}

const order: ReaderOrder = JSON.parse(process.argv[2] ?? '{}')
const vendor = POLLED_VENDORS[order.vendor]
if (!vendor) throw new Error(`There is no polled vendor ${order.vendor}`)

/** Whole or not at all, also for a process that is killed in between. */
function write(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(value))
  renameSync(`${file}.new`, file)
}
const read = (file: string): unknown => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)

mkdirSync(order.folder, { recursive: true })
const quotaFile = (name: string) => join(order.folder, `quota-${encodeURIComponent(name)}.json`)
const quotas: QuotaStore = {
  load: async (name) => read(quotaFile(name)) as Awaited<ReturnType<QuotaStore['load']>>,
  save: async (name, spent) => write(quotaFile(name), spent),
}
const checkpointFile = join(order.folder, 'checkpoint.json')
const source = openCase(vendor, { url: order.url, clock: fastClock(order.time), quotas, logged: () => undefined })
for await (const { facts = [], checkpoint } of source.read(read(checkpointFile), new AbortController().signal)) {
  for (const fact of facts) appendFileSync(join(order.folder, 'facts.jsonl'), `${JSON.stringify(fact)}\n`)
  write(checkpointFile, checkpoint)
}
