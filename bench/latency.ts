import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { createClient } from 'graphql-ws'
import { build, type Histogram } from 'hdr-histogram-js'
import { Kafka, logLevel } from 'kafkajs'
import { WebSocket } from 'ws'
import { data } from '../tests/support/graphql.ts'
import { startPlatform } from '../tests/support/platform-process.ts'
import { Report } from './report.ts'

const RATES = [1_000, 5_000]
const SYMBOLS = 20
const WARM_UP_MS = 4_000
const MEASURED_MS = 10_000
const ROUNDS = 5
/** Latencies are kept in tenths of a millisecond. */
const TENTHS = 10

/**
 * The same records from the same pacing producer in a process of its own: once read by a bare kafkajs consumer, once by the
 * platform (Kafka → store → Redis → gateway) and received by a graphql-ws client. Both stamps come from one machine's clock.
 * Producer and platform have sessions of their own, as they would have on terminals of their own.
 */
export async function latency(): Promise<Report> {
  const { KAFKA_BROKERS: brokers, REDIS_URL: redis } = process.env
  if (!brokers || !redis) throw new Error('latency needs KAFKA_BROKERS and REDIS_URL')
  const report = new Report(
    `tick → subscriber at ${RATES.join(' and ')} ticks/s, ${SYMBOLS} symbols, ${MEASURED_MS / 1_000} s measured, ${ROUNDS} rounds alternating`,
  )
  for (const rate of RATES) {
    const bare = { p50: [] as number[], p99: [] as number[] }
    const platform = { p50: [] as number[], p99: [] as number[] }
    for (let round = 0; round < ROUNDS; round++)
      for (const [into, measure] of [
        [bare, bareLatency],
        [platform, platformLatency],
      ] as const) {
        const prefix = prefixOf()
        const histogram = await measure(brokers, redis, rate, prefix)
        await deleteTopics(brokers, prefix)
        into.p50.push(histogram.getValueAtPercentile(50) / TENTHS)
        into.p99.push(histogram.getValueAtPercentile(99) / TENTHS)
      }
    const of = (name: string, runs: number[]) => report.figure(`${rate}/s: ${name}`, 'ms', runs)
    const bare50 = of('bare kafkajs produce → consume, p50', bare.p50)
    const bare99 = of('bare kafkajs produce → consume, p99', bare.p99)
    const ours50 = of('platform, tick → GraphQL subscriber, p50', platform.p50)
    const ours99 = of('platform, tick → GraphQL subscriber, p99', platform.p99)
    report.ratio(`${rate}/s: platform / bare, p50`, ours50 / bare50)
    report.ratio(`${rate}/s: platform / bare, p99`, ours99 / bare99, '≤ 4')
  }
  return report
}

const histogramOf = (): Histogram => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000 * TENTHS })
const nowMs = () => performance.timeOrigin + performance.now()
const prefixOf = () => `bench-${randomUUID().slice(0, 8)}.`

async function pace(brokers: string, prefix: string, rate: number, registry: string): Promise<ChildProcess> {
  const child = fork(
    new URL('paced-producer.ts', import.meta.url),
    [brokers, prefix, String(rate), String(SYMBOLS), registry],
    {
      execArgv: process.execArgv,
      detached: true,
    },
  )
  await once(child, 'message')
  return child
}

/** A broker that keeps the topics of all runs has a heap full of them, and is measured in place of what is to be measured. */
async function deleteTopics(brokers: string, prefix: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix))
    await admin.deleteTopics({ topics })
  } finally {
    await admin.disconnect()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function bareLatency(brokers: string, _redis: string, rate: number, prefix: string): Promise<Histogram> {
  const kafka = new Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const histogram = histogramOf()
  let measuring = false
  const child = await pace(brokers, prefix, rate, '')
  const consumer = kafka.consumer({ groupId: `${prefix}bare`, maxWaitTimeInMs: 300 })
  await consumer.connect()
  await consumer.subscribe({ topic: `${prefix}stock-data` })
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 12,
    eachBatch: async ({ batch }) => {
      // The stamp is the size, the second double of the record: symbol's length byte and text, price, size.
      for (const { value } of batch.messages)
        if (measuring && value) histogram.recordValue(Math.max(0, Math.round((nowMs() - stampOf(value)) * TENTHS)))
    },
  })
  await sleep(WARM_UP_MS)
  measuring = true
  await sleep(MEASURED_MS)
  measuring = false
  await stop(child)
  await consumer.disconnect()
  return histogram
}

const stampOf = (value: Buffer): number => value.readDoubleLE(5 + 1 + value[5] / 2 + 8) + STAMP_BASE

/** Sizes are at most 1e12, so the stamp counts from here. */
export const STAMP_BASE = 1_700_000_000_000

/** Resolves when there is an instrument for each, which its first tick makes; before that nobody can listen to it. */
async function listed(url: string, symbols: readonly string[]): Promise<void> {
  const known = 'query ($symbols: [ID!]) { instruments(symbols: $symbols, first: 100) { edges { node { symbol } } } }'
  for (let length = 0; length < symbols.length; await sleep(100)) {
    const { instruments } = await data<{ instruments: { edges: unknown[] } }>(url, known, { symbols })
    length = instruments.edges.length
  }
}

async function platformLatency(brokers: string, redis: string, rate: number, prefix: string): Promise<Histogram> {
  const registry = process.env.SCHEMA_REGISTRY_URL ?? ''
  const environment = {
    KAFKA_BROKERS: brokers,
    KAFKA_PREFIX: prefix,
    REDIS_URL: redis,
    PUBSUB_PREFIX: prefix,
    ...(registry && { SCHEMA_REGISTRY_URL: registry }),
    // Its own source is a whisper beside the paced producer.
    SIMULATED_TICKS_PER_SECOND: '1',
  }
  const child = await pace(brokers, prefix, rate, registry)
  await using platform = await startPlatform([], environment, undefined, { ownSession: true })
  await platform.ready()
  const histogram = histogramOf()
  let measuring = false
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => `SYM${i}`)
  const client = createClient({ url: platform.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  await listed(platform.url, symbols)
  await sleep(WARM_UP_MS / 2)
  client.subscribe<{ ticks: { size: number } }>(
    {
      query: 'subscription ($symbols: [ID!]!) { ticks(symbols: $symbols) { symbol price size } }',
      variables: { symbols },
    },
    {
      next: ({ data, errors }) => {
        if (errors) throw new Error(JSON.stringify(errors))
        if (measuring && data)
          histogram.recordValue(Math.max(0, Math.round((nowMs() - data.ticks.size - STAMP_BASE) * TENTHS)))
      },
      error: (error) => {
        throw error instanceof Error ? error : new Error(`the subscription ended: ${inspect(error)}`)
      },
      complete: () => undefined,
    },
  )
  await sleep(WARM_UP_MS)
  measuring = true
  await sleep(MEASURED_MS)
  measuring = false
  await stop(child)
  await client.dispose()
  const expected = (rate * MEASURED_MS) / 1_000
  if (histogram.totalCount < 0.95 * expected)
    console.log(`  (${histogram.totalCount} of ${expected} ticks reached the subscriber at ${rate}/s)`)
  return histogram
}
