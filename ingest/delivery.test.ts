import { describe, expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import type { OutgoingRecord } from '../platform/bus/bus.ts'
import {
  articleFact,
  busAway,
  codec,
  fact,
  observationFact,
  pass,
  reject,
  ScriptedSource,
  untilAborted,
  world,
} from '../tests/support/ingest-world.ts'
import { positionOf } from './reject-position.ts'

const idsOf = (records: readonly OutgoingRecord[]) => records.map(({ value }) => codec.decode('news-data', value).id)

describe('facts that are not ticks', () => {
  test('go to the topic of each, under its key, in the order of the source', async () => {
    const facts = [
      articleFact('1', 'AAPL'),
      observationFact('2026-09-01', 320.1),
      articleFact('2'),
      articleFact('3', 'AAPL'),
      observationFact('2026-10-01', 321.5),
    ]
    const { start, topics, produced } = world(new ScriptedSource([{ ticks: [fact(0)], facts }]))
    expect(await start()).toMatchObject({ read: 6, produced: 6, rejected: 0 })
    expect(topics).toEqual(['stock-data', 'news-data', 'economic-data'])
    const [, articles, observations] = produced
    expect(idsOf(articles)).toEqual(['test:1', 'test:2', 'test:3'])
    expect(articles.map(({ key }) => key)).toEqual(['AAPL', 'test:2', 'AAPL'])
    expect(observations.map(({ value }) => codec.decode('economic-data', value).value)).toEqual([320.1, 321.5])
  })

  test('are produced in bounded pieces', async () => {
    const facts = Array.from({ length: 25 }, (_, i) => articleFact(String(i)))
    const { start, produced } = world(new ScriptedSource([{ facts }]), { recordsMax: 10 })
    await start()
    expect(produced.map((records) => records.length)).toEqual([10, 10, 5])
    expect(produced.flatMap(idsOf)).toEqual(facts.map((_, i) => `test:${i}`))
  })

  test('are counted by topic', async () => {
    const { run, start } = world(
      new ScriptedSource([{ ticks: [fact(0)], facts: [articleFact('1'), articleFact('2')] }]),
    )
    await start()
    expect((await run.metrics.ingestFacts.get()).values).toMatchObject([
      { value: 1, labels: { source: 'test', topic: 'stock-data' } },
      { value: 2, labels: { source: 'test', topic: 'news-data' } },
    ])
  })

  test('one over the size limit goes to the dead letters of its topic and the others go on in order', async () => {
    const facts = Array.from({ length: 9 }, (_, i) => articleFact(String(i)))
    const { run, start, produced, deadLetters } = world(new ScriptedSource([{ facts }]))
    const produce = run.bus.produce
    run.bus.produce = async (topic, records) => {
      if (idsOf(records).includes('test:4')) throw new PlatformError('MESSAGE_TOO_LARGE', 'At most 1 MiB')
      await produce(topic, records)
    }
    expect(await start()).toMatchObject({ read: 9, produced: 8, rejected: 1 })
    expect(produced.flatMap(idsOf)).toEqual([0, 1, 2, 3, 5, 6, 7, 8].map((i) => `test:${i}`))
    expect(deadLetters).toMatchObject([{ topic: 'news-data', reason: 'At most 1 MiB' }])
    expect(deadLetters[0].position).toBe(positionOf(deadLetters[0].original))
  })

  test('a checkpoint is saved only after the facts that were told before it', async () => {
    const source = new ScriptedSource([{ facts: [articleFact('1')] }], untilAborted)
    const { run, start, clock, saved, stop } = world(source)
    let tries = 0
    const produce = run.bus.produce
    run.bus.produce = async (topic, records) => {
      if (++tries <= 20) throw busAway()
      await produce(topic, records)
    }
    const ended = start()
    await pass(clock, () => tries > 10)
    expect(saved).toEqual([])
    await pass(clock, () => saved.length > 0)
    expect(tries).toBe(21)
    stop.abort()
    await ended
  })

  test('a batch of facts alone does not ask for its checkpoint to be saved at once', async () => {
    const { start, clock, saved, stop, produced } = world(
      new ScriptedSource([{ facts: [articleFact('1')] }], untilAborted),
    )
    const ended = start()
    await expect.poll(() => produced.length).toBe(1)
    await clock.advance(999)
    expect(saved).toEqual([])
    await clock.advance(1)
    await expect.poll(() => saved).toEqual([1])
    stop.abort()
    await ended
  })
})

describe('rejects', () => {
  test('keep the feed and the topic that they were meant for, and are counted by it', async () => {
    const rejects = [reject(1), { ...reject(2), feed: 'top-headlines', topic: 'news-data' as const }]
    const { run, start, deadLetters } = world(new ScriptedSource([{ rejects }]))
    expect(await start()).toMatchObject({ read: 2, produced: 0, rejected: 2 })
    expect(deadLetters).toEqual(rejects)
    expect((await run.metrics.ingestRejects.get()).values).toMatchObject([
      { value: 1, labels: { source: 'test', topic: 'stock-data' } },
      { value: 1, labels: { source: 'test', topic: 'news-data' } },
    ])
  })

  test('the same bytes have the same position, other bytes another, and every position can be stored', () => {
    const [one, again, other] = ['{"a":1}', '{"a":1}', '{"a":2}'].map((text) => positionOf(Buffer.from(text)))
    expect(again).toBe(one)
    expect(other).not.toBe(one)
    for (const position of [one, other]) expect(Number.isSafeInteger(position)).toBe(true)
  })
})
