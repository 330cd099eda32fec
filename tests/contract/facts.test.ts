import { afterEach, describe, expect, test } from 'vitest'
import type { EventBus } from '../../platform/bus/bus.ts'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { MemoryBus } from '../../platform/bus/memory-bus.ts'
import { deadLetterTopic, type Fact, type FactTopic } from '../../platform/bus/topics.ts'
import { silentLog } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { type Channels, EVERY_KEY } from '../../platform/pubsub/pubsub.ts'
import { FACTS_TOLD_MAX } from '../../processors/facts.ts'
import type { ProcessorName } from '../../processors/processors.ts'
import {
  aFiling,
  aHistoricalBar,
  anArticle,
  anObservation,
  aQualityEvent,
  aRelease,
  aSnapshot,
  FRIDAY_MS,
} from '../support/facts.ts'
import { openProcessing, type Processing } from '../support/processing.ts'

const brokers = process.env.KAFKA_BROKERS?.split(',')

const backends: [name: string, openBus: (metrics: Metrics) => Promise<EventBus>][] = [
  ['memory', async (metrics) => new MemoryBus({ log: silentLog, metrics })],
]
if (brokers)
  backends.push(['Kafka', (metrics) => openKafkaBus({ brokers, clientId: 'facts-test', log: silentLog, metrics })])

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000, interval: 20 })

/** Of each kind: who stores it and where, three facts, and what is heard of them on a key. */
interface Case {
  readonly processor: ProcessorName
  readonly app: string
  readonly topic: FactTopic
  /** Of the three, two of which are of one symbol or series. */
  readonly facts: readonly [Fact, Fact, Fact]
  /** One text for each row that the three make. */
  readonly rows: { readonly sql: string; readonly expected: readonly string[] }
  readonly heard?: { readonly channel: keyof Channels; readonly key: string; readonly expected: readonly Fact[] }
}

const article = (event = anArticle()): Fact => ({ topic: 'news-data', event })
const observation = (event = anObservation()): Fact => ({ topic: 'economic-data', event })
const release = (event = aRelease()): Fact => ({ topic: 'economic-releases', event })
const snapshot = (event = aSnapshot()): Fact => ({ topic: 'stock-quotes', event })
const bar = (event = aHistoricalBar()): Fact => ({ topic: 'stock-history', event })
const quality = (event = aQualityEvent()): Fact => ({ topic: 'data-quality', event })

const news: Case['facts'] = [
  article(),
  article(aFiling()),
  article(anArticle({ id: 'newsapi:2', symbols: ['MSFT', 'SPY'] })),
]
const observations: Case['facts'] = [
  observation(),
  observation(anObservation({ vintage: '2026-12-10', value: 326 })),
  observation(anObservation({ series: { ...anObservation().series, seriesId: 'UNRATE' } })),
]
const snapshots: Case['facts'] = [
  snapshot(),
  snapshot(aSnapshot({ price: 232, eventTimeMs: FRIDAY_MS + 500 })),
  snapshot(aSnapshot({ symbol: 'EUR-USD', source: 'frankfurter' })),
]
const events: Case['facts'] = [
  quality(),
  quality(aQualityEvent({ kind: 'GAP' })),
  quality(aQualityEvent({ kind: 'SILENT_SOURCE', symbol: null })),
]

const cases: readonly Case[] = [
  {
    processor: 'news',
    app: 'news',
    topic: 'news-data',
    facts: news,
    rows: { sql: 'SELECT id FROM news_data ORDER BY 1', expected: ['newsapi:1', 'newsapi:2', aFiling().id] },
    heard: { channel: 'article', key: 'AAPL', expected: [news[0], news[1]] },
  },
  {
    processor: 'economics',
    app: 'economics',
    topic: 'economic-data',
    facts: observations,
    rows: {
      sql: `SELECT concat_ws(' ', series_id, vintage, value) FROM economic_data ORDER BY 1`,
      expected: ['CPIAUCSL 2026-11-13 325.5', 'CPIAUCSL 2026-12-10 326', 'UNRATE 2026-11-13 325.5'],
    },
    heard: { channel: 'observation', key: 'CPIAUCSL', expected: [observations[0], observations[1]] },
  },
  {
    processor: 'economics',
    app: 'releases',
    topic: 'economic-releases',
    facts: [release(), release(aRelease({ date: '2027-01-14' })), release(aRelease({ releaseId: '50' }))],
    rows: {
      sql: `SELECT concat_ws(' ', release_id, date) FROM economic_releases ORDER BY 1`,
      expected: ['10 2026-12-10', '10 2027-01-14', '50 2026-12-10'],
    },
  },
  {
    processor: 'quotes',
    app: 'quotes',
    topic: 'stock-quotes',
    facts: snapshots,
    rows: {
      sql: `SELECT concat_ws(' ', symbol, price) FROM quote_snapshots ORDER BY 1`,
      expected: ['AAPL 232', 'EUR-USD 231.5'],
    },
    heard: { channel: 'quote', key: 'EUR-USD', expected: [snapshots[2]] },
  },
  {
    processor: 'history',
    app: 'history',
    topic: 'stock-history',
    facts: [bar(), bar(aHistoricalBar({ startMs: FRIDAY_MS + 60_000 })), bar(aHistoricalBar({ symbol: 'SPY' }))],
    rows: {
      sql: `SELECT concat_ws(' ', symbol, interval) FROM historical_bars ORDER BY 1`,
      expected: ['AAPL 1m', 'AAPL 1m', 'SPY 1m'],
    },
  },
  {
    processor: 'quality',
    app: 'quality',
    topic: 'data-quality',
    facts: events,
    rows: {
      sql: `SELECT concat_ws(' ', kind, symbol) FROM data_quality ORDER BY 1`,
      expected: ['GAP BTC-USD', 'JUMP BTC-USD', 'SILENT_SOURCE '],
    },
    heard: { channel: 'dataQuality', key: 'BTC-USD', expected: [events[0], events[1]] },
  },
]

describe.each(backends)('Facts on %s', (_name, openBus) => {
  let processing: Processing
  afterEach(async () => {
    await processing[Symbol.asyncDispose]()
  })
  const open = async (...topics: FactTopic[]) => {
    processing = await openProcessing({ openBus, topics })
    return processing
  }
  const hear = async (channel: keyof Channels, key: string) => {
    const heard: unknown[] = []
    await processing.pubsub.subscribe(channel, key, (event) => heard.push(event))
    return heard
  }
  const processedTo = async (app: string) => {
    const [sum] = await processing.select(
      'SELECT coalesce(sum(next_offset), 0)::int FROM stream_checkpoint WHERE app = $1',
      app,
    )
    return sum
  }
  const topicsOf = ({ processor, topic }: Case): FactTopic[] =>
    processor === 'economics' ? ['economic-data', 'economic-releases'] : [topic]

  test.each(cases)('on $topic is stored, and told to who listens', async (each) => {
    const { start, tell, select } = await open(...topicsOf(each))
    const heard = each.heard ? await hear(each.heard.channel, each.heard.key) : []
    await start([each.processor])
    await tell(...each.facts)
    await eventually(() => select(each.rows.sql)).toEqual(each.rows.expected)
    await eventually(() => heard).toEqual(each.heard?.expected.map(({ event }) => event) ?? [])
  })

  test.each(cases)('on $topic that comes again is neither stored nor told again', async (each) => {
    const { start, tell, select } = await open(...topicsOf(each))
    const heard = each.heard ? await hear(each.heard.channel, each.heard.key) : []
    await start([each.processor])
    await tell(...each.facts)
    await eventually(() => processedTo(each.app)).toBe(3)
    // As a source does that crashed before it saved its checkpoint; and within one transaction too.
    await tell(...each.facts, ...each.facts)
    await eventually(() => processedTo(each.app)).toBe(9)
    expect(await select(each.rows.sql)).toEqual(each.rows.expected)
    expect(heard).toEqual(each.heard?.expected.map(({ event }) => event) ?? [])
  })

  test.each(cases)('on $topic that is broken goes to the dead letters, and the next is stored', async (each) => {
    const { start, tell, produceRaw, read, select } = await open(...topicsOf(each))
    await start([each.processor])
    await tell(each.facts[0])
    await produceRaw('AAPL', Buffer.from('not a fact'), each.topic)
    await tell(each.facts[1], each.facts[2])
    await eventually(() => select(each.rows.sql)).toEqual(each.rows.expected)
    await eventually(() => select('SELECT code FROM dead_letters WHERE app = $1', each.app)).toEqual([
      'UNDECODABLE_EVENT',
    ])
    await eventually(async () =>
      (await read(deadLetterTopic(each.topic))).map(({ value }) => value?.toString()),
    ).toEqual(['not a fact'])
    expect(processing.fatal).toEqual([])
  })

  test.each(cases)('on $topic whose processor stopped is stored by the next one, from where that was', async (each) => {
    const { start, tell, select } = await open(...topicsOf(each))
    const first = await start([each.processor])
    await tell(each.facts[0])
    await eventually(() => processedTo(each.app)).toBe(1)
    await first[Symbol.asyncDispose]()
    await tell(each.facts[1], each.facts[2])
    await start([each.processor])
    await eventually(() => select(each.rows.sql)).toEqual(each.rows.expected)
    expect(await processedTo(each.app)).toBe(3)
  })

  test('an article is told to listeners of each of its symbols, and to who listens to all', async () => {
    const { start, tell } = await open('news-data')
    const [msft, spy, all] = await Promise.all(['MSFT', 'SPY', EVERY_KEY].map((key) => hear('article', key)))
    await start(['news'])
    await tell(...news)
    await eventually(() => all).toHaveLength(3)
    await eventually(() => [msft, spy]).toEqual([[news[2].event], [news[2].event]])
  })

  test('who hears of a fact can query it', async () => {
    const { start, tell, select } = await open('news-data')
    const found: unknown[] = []
    await processing.pubsub.subscribe('article', EVERY_KEY, ({ id }) => {
      void select('SELECT id FROM news_data WHERE id = $1', id).then((rows) => found.push(...rows))
    })
    await start(['news'])
    await tell(...news)
    await eventually(() => found.toSorted()).toEqual(['newsapi:1', 'newsapi:2', aFiling().id])
  })

  test('of a backfill only the last are told, and all are stored', async () => {
    const { bus, codec, start, select, metrics } = await open('economic-data', 'economic-releases')
    const count = FACTS_TOLD_MAX + 20
    const day = (n: number) => new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10)
    // One partition and one batch, so one transaction.
    await bus.produce(
      'economic-data',
      Array.from({ length: count }, (_, n) => codec.encode('economic-data', anObservation({ date: day(n) }))),
    )
    const heard = await hear('observation', 'CPIAUCSL')
    await start(['economics'])
    await eventually(() => select('SELECT count(*)::int FROM economic_data')).toEqual([count])
    await eventually(() => heard.length).toBeGreaterThanOrEqual(FACTS_TOLD_MAX)
    expect(heard.at(-1)).toMatchObject({ date: day(count - 1) })
    const { values } = await metrics.pubsubSkippedFacts.get()
    const skipped = values.reduce((sum, { value }) => sum + value, 0)
    expect(heard.length + skipped).toBe(count)
  })

  test('a symbol that only a vendor has a price of is listed as an instrument', async () => {
    const { start, tell, select } = await open('stock-quotes', 'stock-history')
    await start(['quotes', 'history'])
    await tell(snapshots[2], bar(aHistoricalBar({ symbol: 'BRK.B' })))
    await eventually(() => select('SELECT symbol FROM instruments ORDER BY 1')).toEqual(['BRK.B', 'EUR-USD'])
  })

  test('a processor of facts holds no connection while nothing comes', async () => {
    const { start, tell, database, select } = await open('news-data')
    await start(['news'])
    await tell(news[0])
    await eventually(() => select('SELECT count(*)::int FROM news_data')).toEqual([1])
    // The relay of the outbox keeps one.
    await eventually(() => database.pool.totalCount - database.pool.idleCount).toBe(1)
    // The one that was given back is the next one taken, and has none of the writer's settings.
    expect(await select(`SELECT name FROM pg_settings WHERE source = 'session'`)).toEqual([])
  })
})
