import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { runIngest } from '../ingest/ingest.ts'
import type { BusConsumer } from '../platform/bus/bus.ts'
import { openCodec } from '../platform/bus/codec.ts'
import { MemoryBus } from '../platform/bus/memory-bus.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { TOPICS, type Topic } from '../platform/bus/topics.ts'
import { systemClock } from '../platform/clock.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { MemoryQuotas } from '../tests/support/vendors/memory-quotas.ts'
import { openCase } from '../tests/support/vendors/polled-reader.ts'
import type { StreamedVendorCase } from '../tests/support/vendors/streamed-vendor-case.ts'
import { STREAMED_VENDORS } from '../tests/support/vendors/streamed-vendors.ts'
import { Report } from './report.ts'

const MESSAGES = 200_000
const MESSAGES_OF_MEMORY = 1_000_000
const ROUNDS = 3
/** A part of a run in which nothing is measured yet: code is compiled, buffers grow. */
const WARM_UP_SHARE = 0.2
const MEMORY_OF = 'coinbase'
/** So often the bare reader looks at the clock. */
const PORTION = 1_000
const MEGABYTE = 1_048_576
const READ: readonly Topic[] = ['stock-data', 'stock-quotes']

/**
 * Each vendor's messages as fast as one core takes them from a socket: through the source that reads it, ingest and the bus,
 * beside a bare socket that does nothing but JSON.parse. The venue has a process, and so a core, of its own.
 */
export async function streams(): Promise<Report> {
  const report = new Report(
    `${MESSAGES.toLocaleString('en')} messages of a print each over a socket, ${ROUNDS} rounds alternating; memory over ${MESSAGES_OF_MEMORY.toLocaleString('en')} of ${MEMORY_OF}`,
  )
  for (const [name, vendor] of Object.entries(STREAMED_VENDORS)) {
    const ours: number[] = []
    const bare: number[] = []
    for (let round = 0; round < ROUNDS; round++)
      await withVenue(name, MESSAGES, async (url) => {
        ours.push(await rateOf(url, MESSAGES, produced(vendor)))
        bare.push(await rateOf(url, MESSAGES, parsed))
      })
    const ourRate = report.figure(`${name}: read, checked and produced`, 'messages/s', ours)
    const bareRate = report.figure(`${name}: JSON.parse alone`, 'messages/s', bare)
    report.ratio(`${name}: ours / JSON.parse alone`, ourRate / bareRate)
  }
  await memory(report)
  return report
}

/** Memory that is held after a collection, at every tenth of the run. */
async function memory(report: Report): Promise<void> {
  const heldMb: number[] = []
  let nextAt = MESSAGES_OF_MEMORY * 0.1
  const read: Reader = (url, messages, onCount) =>
    produced(STREAMED_VENDORS[MEMORY_OF])(url, messages, (count) => {
      for (; count >= nextAt; nextAt += MESSAGES_OF_MEMORY * 0.1) heldMb.push(held())
      onCount(count)
    })
  await withVenue(MEMORY_OF, MESSAGES_OF_MEMORY, async (url) => void (await rateOf(url, MESSAGES_OF_MEMORY, read)))
  const [early, late] = [heldMb.slice(1, 4), heldMb.slice(-3)].map((part) => part.toSorted((a, b) => a - b)[1])
  report.figure(`${MEMORY_OF}: memory held at 200,000 to 400,000 messages`, 'MiB', [early])
  report.figure(`${MEMORY_OF}: memory held at 800,000 to 1,000,000 messages`, 'MiB', [late])
  report.ratio('memory, late / early', late / early, '≤ 1.1')
}

function held(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / MEGABYTE
}

/** Reads messages until so many have come, and says after each portion how many that is. */
type Reader = (url: string, messages: number, onCount: (count: number) => void) => Promise<void>

/** Messages a second of a reading, without its beginning. */
async function rateOf(url: string, messages: number, read: Reader): Promise<number> {
  let first: { readonly atMs: number; readonly count: number } | undefined
  let last = { atMs: 0, count: 0 }
  await read(url, messages, (count) => {
    last = { atMs: performance.now(), count }
    if (count >= messages * WARM_UP_SHARE) first ??= last
  })
  if (!first || last.count < messages) throw new Error(`${last.count} of ${messages} messages came`)
  return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs)
}

async function withVenue(vendor: string, messages: number, use: (url: string) => Promise<void>): Promise<void> {
  const child: ChildProcess = fork(new URL('streaming-venue.ts', import.meta.url), [vendor, String(messages)], {
    execArgv: process.execArgv.filter((argument) => argument !== '--expose-gc'),
  })
  try {
    const [url] = await once(child, 'message')
    await use(String(url))
  } finally {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
}

/** The peer. */
const parsed: Reader = async (url, messages, onCount) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/bare`, { perMessageDeflate: false })
  let count = 0
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('message', (frame: Buffer) => {
      // What is said before the first print, such as `connected`, is among them: a few of very many.
      if (typeof JSON.parse(frame.toString()) !== 'object') reject(new Error('The venue sent what is no message'))
      if (++count % PORTION === 0 || count === messages) onCount(count)
      if (count === messages) resolve()
    })
  })
  socket.terminate()
}

/** The source as the platform opens it, ingest, and the bus in this process with consumers that take all and do nothing. */
const produced =
  (vendor: StreamedVendorCase): Reader =>
  async (url, messages, onCount) => {
    const metrics = openMetrics()
    const stop = new AbortController()
    await using bus = new MemoryBus({ log: silentLog, metrics })
    await bus.createTopics(
      Object.entries(TOPICS).map(([name, { partitions, retentionMs }]) => ({ name, partitions, retentionMs })),
    )
    let count = 0
    for (const topic of READ) {
      const consumer: BusConsumer = await bus.consume({
        group: `bench-${topic}`,
        topic,
        onBatch: async ({ partition, records, nextOffset }) => {
          count += records.length
          onCount(count)
          consumer.processed(partition, nextOffset)
          if (count >= messages) stop.abort()
        },
        onFatal: (error) => {
          throw error
        },
      })
    }
    await runIngest({
      source: openCase(vendor, {
        url,
        socketUrl: url.replace('http', 'ws') + vendor.socketPath,
        clock: systemClock,
        quotas: new MemoryQuotas(),
        logged: () => undefined,
      }),
      bus,
      codec: await openCodec(new MemorySchemaRegistry()),
      checkpoints: { load: async () => undefined, save: async () => undefined },
      deadLetters: { append: async () => undefined },
      clock: systemClock,
      log: silentLog,
      metrics,
      signal: stop.signal,
    })
  }
