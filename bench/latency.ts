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
import { bareConsumer } from './bare-consumer.ts'
import { countStolen, Report } from './report.ts'

const RATES = [1_000, 5_000]
const SYMBOLS = 20
/** V8 compiles for half a minute what a platform consists of, on a core that the broker and the database want too. */
const WARM_UP_MS = 20_000
const MEASURED_MS = 10_000
const ROUNDS = 5
/** Latencies are kept in tenths of a millisecond. */
const TENTHS = 10

/**
 * The same records from the same pacing producer in a process of its own: once read by a bare kafkajs consumer, once by a chain
 * written by hand (handwritten-chain.ts), once by the platform (Kafka → store → Redis → gateway), and of these two received by a
 * graphql-ws client. Both stamps come from one machine's clock. Producer, chain and platform have sessions of their own, as
 * they would have on terminals of their own.
 */
export async function latency(): Promise<Report> {
  const { KAFKA_BROKERS: brokers, REDIS_URL: redis } = process.env
  if (!brokers || !redis) throw new Error('latency needs KAFKA_BROKERS and REDIS_URL')
  const report = new Report(
    `tick → subscriber at ${RATES.join(' and ')} ticks/s, ${SYMBOLS} symbols, ${MEASURED_MS / 1_000} s measured after ${WARM_UP_MS / 1_000}, ${ROUNDS} rounds alternating`,
  )
  for (const rate of RATES) {
    const bare = runsOf()
    const chain = runsOf()
    const platform = runsOf()
    for (let round = 0; round < ROUNDS; round++)
      for (const [into, measure] of [
        [bare, bareLatency],
        [chain, chainLatency],
        [platform, platformLatency],
      ] as const) {
        const prefix = prefixOf()
        const stolen = countStolen()
        const histogram = await measure(brokers, redis, rate, prefix)
        const share = stolen()
        if (share !== undefined) into.stolen.push(share)
        await deleteTopics(brokers, prefix)
        into.p50.push(histogram.getValueAtPercentile(50) / TENTHS)
        into.p99.push(histogram.getValueAtPercentile(99) / TENTHS)
      }
    const median = (name: string, { p50, p99, stolen }: Runs) => {
      if (stolen.length > 0) report.figure(`${rate}/s: ${name}, stolen by the host`, '%', stolen)
      return {
        p50: report.figure(`${rate}/s: ${name}, p50`, 'ms', p50),
        p99: report.figure(`${rate}/s: ${name}, p99`, 'ms', p99),
      }
    }
    const peer = median('bare kafkajs produce → consume', bare)
    const byHand = median('kafkajs → PostgreSQL → Redis → ws, written by hand', chain)
    const ours = median('platform, tick → GraphQL subscriber', platform)
    report.ratio(`${rate}/s: platform / bare, p50`, ours.p50 / peer.p50)
    report.ratio(`${rate}/s: platform / bare, p99`, ours.p99 / peer.p99, '≤ 4')
    report.ratio(`${rate}/s: platform / written by hand, p50`, ours.p50 / byHand.p50)
    report.ratio(`${rate}/s: platform / written by hand, p99`, ours.p99 / byHand.p99)
  }
  return report
}

interface Runs {
  readonly p50: number[]
  readonly p99: number[]
  /** Of the processors' time, in percent. */
  readonly stolen: number[]
}

const runsOf = (): Runs => ({ p50: [], p99: [], stolen: [] })
const histogramOf = (): Histogram => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000 * TENTHS })
const nowMs = () => performance.timeOrigin + performance.now()
const prefixOf = () => `bench-${randomUUID().slice(0, 8)}.`

const pace = async (brokers: string, prefix: string, rate: number, registry: string): Promise<ChildProcess> =>
  (await started('paced-producer.ts', [brokers, prefix, String(rate), String(SYMBOLS), registry])).child

/** In a session of its own, from its first message on, which is what it says. */
async function started(program: string, settings: readonly string[]): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(new URL(program, import.meta.url), settings, { execArgv: process.execArgv, detached: true })
  const said = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code} before it had begun`)))
  })
  return { child, said }
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
  const histogram = histogramOf()
  let measuring = false
  const child = await pace(brokers, prefix, rate, '')
  const consumer = await bareConsumer(brokers, `${prefix}bare`, `${prefix}stock-data`, async ({ batch }) => {
    // The stamp is the size, the second double of the record: symbol's length byte and text, price, size.
    for (const { value } of batch.messages)
      if (measuring && value) histogram.recordValue(Math.max(0, Math.round((nowMs() - stampOf(value)) * TENTHS)))
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
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => `SYM${i}`)
  await listed(platform.url, symbols)
  const histogram = await subscriberLatency(platform.url.replace(/^http/, 'ws'), rate, symbols)
  await stop(child)
  return histogram
}

/** The same stations and the same client, and nothing that makes a platform of them. */
async function chainLatency(brokers: string, redis: string, rate: number, prefix: string): Promise<Histogram> {
  const registry = process.env.SCHEMA_REGISTRY_URL ?? ''
  const producer = await pace(brokers, prefix, rate, registry)
  const { child: chain, said: port } = await started('handwritten-chain.ts', [brokers, prefix, redis, registry])
  const histogram = await subscriberLatency(`ws://127.0.0.1:${port}`, rate, [])
  await Promise.all([stop(producer), stop(chain)])
  return histogram
}

/** As a graphql-ws client sees it, from when it is warm. Says so where not all of the ticks come. */
async function subscriberLatency(url: string, rate: number, symbols: readonly string[]): Promise<Histogram> {
  const histogram = histogramOf()
  let measuring = false
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 })
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
  await client.dispose()
  const expected = (rate * MEASURED_MS) / 1_000
  if (histogram.totalCount < 0.95 * expected)
    console.log(`  (${histogram.totalCount} of ${expected} ticks reached the subscriber at ${rate}/s)`)
  return histogram
}
