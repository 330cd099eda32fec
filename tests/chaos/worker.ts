import { openCodec } from '../../platform/bus/codec.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemorySchemaRegistry } from '../../platform/bus/memory-schema-registry.ts'
import { PrefixedBus } from '../../platform/bus/prefixed-bus.ts'
import { systemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { openDatabase } from '../../platform/store/database.ts'
import type { ProcessorSettings } from '../../processors/options.ts'
import { type ProcessorName, startProcessors } from '../../processors/processors.ts'

/** One processor in one process, as the environment says. Tells its counters, and ends when it is asked to or orphaned. */
export interface WorkerSettings {
  readonly processor: ProcessorName
  readonly brokers: readonly string[]
  readonly databaseUrl: string
  readonly prefix: string
  readonly options: ProcessorSettings
}

export interface WorkerReport {
  readonly counters?: Readonly<Record<string, number>>
  readonly fatal?: string
}

const COUNTED = /^processor_.*_total$/
const settings = JSON.parse(process.env.WORKER ?? '') as WorkerSettings
const report = (message: WorkerReport) => {
  if (process.connected) process.send?.(message)
}

// Before anything is waited for: a worker must never outlive who started it.
process.on('disconnect', () => process.exit(0))

const log = openLog(process.env.CHAOS_LOG ?? 'silent')
const metrics = openMetrics()
const database = await untilOpen(() => openDatabase({ url: settings.databaseUrl, poolMax: 8, log }))
const bus = await untilOpen(() => openKafkaBus({ brokers: settings.brokers.slice(), clientId: 'chaos', log, metrics }))
const codec = await openCodec(new MemorySchemaRegistry())
const processors = await untilOpen(() =>
  startProcessors(
    [settings.processor],
    {
      bus: new PrefixedBus(bus, settings.prefix),
      codec,
      database,
      publish: () => Promise.resolve(),
      clock: systemClock,
      log,
      metrics,
      onFatal: (error) => {
        report({ fatal: String(error) })
        setTimeout(() => process.exit(1), 50)
      },
    },
    settings.options,
  ),
)

/** Here it is the chaos that decides when servers are there; a real process would say so and end. */
async function untilOpen<T>(open: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      log.warn({ err: error }, 'not yet')
      await systemClock.sleep(300)
    }
  }
}

async function count(): Promise<Record<string, number>> {
  const counters: Record<string, number> = {}
  for (const metric of await metrics.registry.getMetricsAsJSON())
    if (COUNTED.test(metric.name))
      for (const { value, labels } of metric.values) {
        const name = [metric.name, labels.why].filter(Boolean).join(' ')
        counters[name] = (counters[name] ?? 0) + value
      }
  return counters
}

setInterval(async () => report({ counters: await count() }), 500)
process.on('SIGTERM', async () => {
  await processors[Symbol.asyncDispose]()
  process.exit(0)
})
