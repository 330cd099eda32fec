import { describe, expect, test } from 'vitest'
import { openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { buses, kafkaBrokers, newTopic, numbers, read, records, unique } from '../support/bus.ts'

const soon = { timeout: 30_000, interval: 20 }

describe.each(buses)('the bus on %s', (_name, open) => {
  test('records held back come each once and in order, beside a group that reads at once and when that has left', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 3)
    const atOnce = await read(bus, topic, unique('ticks'))
    const { seen } = await read(bus, topic, unique('bars'), { lingerMs: 50 })
    for (const i of numbers(0, 100)) await bus.produce(topic, records('AAPL', [i]))
    await expect.poll(() => seen.length, soon).toBe(100)
    await atOnce.consumer[Symbol.asyncDispose]()
    for (const i of numbers(100, 200)) await bus.produce(topic, records('AAPL', [i]))
    await expect.poll(() => seen.length, soon).toBe(200)
    const back = await read(bus, topic, unique('ticks'))
    for (const i of numbers(200, 300)) await bus.produce(topic, records('AAPL', [i]))
    await expect.poll(() => seen.length, soon).toBe(300)
    expect(seen).toEqual(numbers(0, 300).map(String))
    await expect.poll(() => back.seen, soon).toEqual(seen)
  })
})

// In memory there is nothing to read twice. CI requires this suite, on both Kafkas.
describe.runIf(kafkaBrokers)('consumers of one process on Kafka', () => {
  test('read once what one of them reads at once and others hold back', async () => {
    const metrics = openMetrics()
    const { busSharedRecords } = metrics
    await using bus = await openKafkaBus({ brokers: kafkaBrokers ?? [], clientId: 'shared', log: silentLog, metrics })
    const topic = await newTopic(bus, 3)
    await read(bus, topic, unique('ticks'))
    const held = await Promise.all([1, 2].map(() => read(bus, topic, unique('bars'), { lingerMs: 50 })))
    const taken = async () => (await busSharedRecords.get()).values.map(({ value }) => value)
    let produced = 0
    // Until both have caught up with the one that reads at once, they fetch.
    const produce = async () => {
      await bus.produce(topic, records('AAPL', [produced++]))
      return (await taken()).length
    }
    await expect.poll(produce, soon).toBe(2)
    const allSeen = async (count: number) => {
      for (const { seen } of held) await expect.poll(() => seen, soon).toEqual(numbers(0, count).map(String))
    }
    await allSeen(produced)
    const [first, second] = await taken()
    await bus.produce(topic, records('AAPL', numbers(produced, produced + 100)))
    await allSeen(produced + 100)
    expect(await taken()).toEqual([first + 100, second + 100])
  })
})
