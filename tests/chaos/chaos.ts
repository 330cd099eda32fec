import { parseArgs } from 'node:util'
import type { Guards } from '../../processors/options.ts'
import { type Fault, runChaos } from './run.ts'

// node tests/chaos/chaos.ts [--ticks N] [--rate N] [--seed N] [--faults all|kills|zombies|database|brokers] [--control GUARD]
// Kills what it runs on: KAFKA_BROKERS must be the broker that scripts/kafka-dev runs under KAFKA_PORT and KAFKA_HOME_DIR.
// The last line of standard output is the result. Exit 1: something is wrong, which is what a control must show.

const PLANS: Readonly<Record<string, readonly Fault[]>> = {
  all: [
    ...(['kill', 'kill', 'freeze', 'kill', 'kill', 'database', 'kill', 'kill', 'broker', 'kill'] as const),
    ...(['freeze', 'kill', 'kill', 'kill', 'database', 'kill', 'freeze', 'kill'] as const),
  ],
  kills: ['kill', 'kill', 'kill', 'kill', 'kill'],
  zombies: ['freeze', 'freeze', 'kill', 'freeze'],
  database: ['database', 'database', 'database', 'kill', 'database'],
  // What a client makes of a broker that comes back differs from time to time.
  brokers: Array<Fault>(20).fill('broker'),
}
const CONTROLS: Readonly<Record<string, Partial<Guards>>> = {
  none: {},
  position: { position: false },
  'compare-and-set': { compareAndSet: false },
  epoch: { epoch: false },
  'compare-and-set-and-epoch': { compareAndSet: false, epoch: false },
  drop: { drop: false },
}

const { values } = parseArgs({
  options: {
    ticks: { type: 'string', default: '200000' },
    rate: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '7' },
    faults: { type: 'string', default: 'all' },
    control: { type: 'string', default: 'none' },
  },
})
const startedMs = Date.now()
const say = (line: string) =>
  process.stderr.write(`${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} ${line}\n`)
const faults = PLANS[values.faults]
const guards = CONTROLS[values.control]
if (!faults || !guards)
  throw new Error(`--faults is one of ${Object.keys(PLANS)}, --control one of ${Object.keys(CONTROLS)}`)

const result = await runChaos({
  brokers: (process.env.KAFKA_BROKERS ?? '127.0.0.1:19092').split(','),
  ticks: Number(values.ticks),
  ticksPerSecond: Number(values.rate),
  seed: Number(values.seed),
  faults,
  guards,
  say,
})
process.stdout.write(`${JSON.stringify({ control: values.control, seed: values.seed, ...result })}\n`)
process.exit(result.wrong === 0 && result.fatal.length === 0 ? 0 : 1)
