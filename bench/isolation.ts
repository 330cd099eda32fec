import { build } from 'hdr-histogram-js'
import type { Fault } from '../tests/support/vendors/faults.ts'
import { QuickVendor } from '../tests/support/vendors/quick-vendor.ts'
import { Report } from './report.ts'

const EVERY_MS = 10
const WARM_UP_MS = 2_000
const MEASURED_MS = 5_000
const ROUNDS = 3
/** Times are kept in hundredths of a millisecond. */
const HUNDREDTHS = 100

const ILLNESSES: Record<string, Fault> = {
  dead: { kind: 'reset' },
  hanging: { kind: 'hang' },
  slow: { kind: 'drip', everyMs: 50 },
  lying: { kind: 'wrong-types' },
}

interface Measured {
  readonly perSecond: number
  readonly p99Ms: number
}

/** Prices per second of one vendor, and their way from its server, while three others are well and while they are ill. */
export async function isolation(): Promise<Report> {
  const report = new Report(
    `one vendor asked every ${EVERY_MS} ms beside three others, ${MEASURED_MS / 1_000} s measured, ${ROUNDS} rounds alternating`,
  )
  const runs = new Map<string, Measured[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, fault] of [['well', undefined], ...Object.entries(ILLNESSES)] as const)
      runs.set(name, [...(runs.get(name) ?? []), await beside(fault)])
  const medians = new Map<string, Measured>()
  for (const [name, measured] of runs)
    medians.set(name, {
      perSecond: report.figure(
        `others ${name}: prices`,
        '/s',
        measured.map(({ perSecond }) => perSecond),
      ),
      p99Ms: report.figure(
        `others ${name}: server → fact, p99`,
        'ms',
        measured.map(({ p99Ms }) => p99Ms),
      ),
    })
  const well = medians.get('well')
  for (const name of Object.keys(ILLNESSES)) {
    const ill = medians.get(name)
    if (!well || !ill) continue
    report.ratio(`prices per second, others ${name} / well`, ill.perSecond / well.perSecond, '≥ 0.95')
    report.ratio(`p99, others ${name} / well`, ill.p99Ms / well.p99Ms, '≤ 1.25')
  }
  return report
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function beside(fault: Fault | undefined): Promise<Measured> {
  await using one = await QuickVendor.start('newsapi', EVERY_MS)
  await using first = await QuickVendor.start('finnhub', EVERY_MS)
  await using second = await QuickVendor.start('fred', EVERY_MS)
  await using third = await QuickVendor.start('alpaca', EVERY_MS)
  if (fault) for (const other of [first, second, third]) other.server.fail(fault)
  await sleep(WARM_UP_MS)
  const before = one.tookMs.length
  await sleep(MEASURED_MS)
  const measured = one.tookMs.slice(before)
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000 * HUNDREDTHS })
  for (const tookMs of measured) histogram.recordValue(Math.max(1, Math.round(tookMs * HUNDREDTHS)))
  return {
    perSecond: (measured.length * 1_000) / MEASURED_MS,
    p99Ms: histogram.getValueAtPercentile(99) / HUNDREDTHS,
  }
}
