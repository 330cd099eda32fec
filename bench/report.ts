import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** What a benchmark found: figures by name with their unit, and ratios of two of them with what we aim at. */
export class Report {
  readonly #figures: Record<string, number> = {}
  readonly #ratios: Record<string, { value: number; aim?: string }> = {}
  readonly workload: string

  constructor(workload: string) {
    this.workload = workload
    console.log(`\n${workload}\n${machine()}`)
  }

  /** The median of the runs is the figure; lowest and highest are printed beside it. */
  figure(name: string, unit: string, runs: readonly number[]): number {
    const sorted = runs.toSorted((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)]
    const spread =
      runs.length > 1 ? `  (${format(sorted[0])} … ${format(sorted[sorted.length - 1])}, ${runs.length} runs)` : ''
    console.log(`  ${name.padEnd(58)} ${format(median).padStart(10)} ${unit}${spread}`)
    this.#figures[`${name}, ${unit}`] = median
    return median
  }

  ratio(name: string, value: number, aim?: string): void {
    console.log(`  → ${name.padEnd(56)} ${value.toFixed(2).padStart(10)}${aim ? `  aim ${aim}` : ''}`)
    this.#ratios[name] = aim ? { value, aim } : { value }
  }

  toJSON() {
    return { workload: this.workload, machine: machine(), figures: this.#figures, ratios: this.#ratios }
  }
}

const format = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2))

function machine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, commit ${commit}`
}

const STAT = '/proc/stat'
const STOLEN = 7

/**
 * Begins to count; what it answers ends it: the share, in percent, of the processors' time in which something of ours could
 * have run and the host of a shared machine ran somebody else. Where it is above a few percent, latencies are the host's.
 * Undefined where the kernel does not tell it: it is Linux that does.
 */
export function countStolen(): () => number | undefined {
  const before = processorTimes()
  return () => {
    const spent = processorTimes().map((ticks, kind) => ticks - before[kind])
    const all = spent.reduce((sum, ticks) => sum + ticks, 0)
    return all > 0 ? (100 * spent[STOLEN]) / all : undefined
  }
}

/** By kind, user time first, in ticks since the machine started (proc_stat(5)); the guests' are in the users' already. */
const processorTimes = (): number[] =>
  existsSync(STAT) ? readFileSync(STAT, 'utf8').split('\n')[0].split(/\s+/).slice(1, 9).map(Number) : []
