import { describe, expect, test } from 'vitest'
import type { PlatformError } from '../../domain/errors.ts'
import type { BusRecord, OffsetRange, RecordBatch } from '../../platform/bus/bus.ts'
import { partitionOf } from '../../platform/bus/partition.ts'
import { RECORD_BYTES_MAX } from '../../platform/bus/record-size.ts'
import { buses, newTopic, numbers, read, records, unique } from '../support/bus.ts'

const soon = { timeout: 30_000, interval: 20 }

describe.each(buses)('the bus on %s', (_name, open) => {
  test('records of one key keep their order over many calls', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 3)
    const { seen } = await read(bus, topic, unique('group'))
    for (const from of numbers(0, 50)) await bus.produce(topic, records('AAPL', numbers(from * 10, from * 10 + 10)))
    await expect.poll(() => seen.length, soon).toBe(500)
    expect(seen).toEqual(numbers(0, 500).map(String))
  })

  test('a batch of many requests keeps its order', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const { seen } = await read(bus, topic, unique('group'))
    await bus.produce(topic, records('AAPL', numbers(0, 3_000)))
    await expect.poll(() => seen.length, soon).toBe(3_000)
    expect(seen).toEqual(numbers(0, 3_000).map(String))
  })

  test('calls at the same time are all stored, each once', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 3)
    const { seen } = await read(bus, topic, unique('group'))
    await Promise.all(numbers(0, 40).map((i) => bus.produce(topic, records(`K${i}`, [`${i}a`, `${i}b`]))))
    await expect.poll(() => seen.length, soon).toBe(80)
    expect(new Set(seen).size).toBe(80)
    for (const i of numbers(0, 40)) expect(seen.indexOf(`${i}a`)).toBeLessThan(seen.indexOf(`${i}b`))
  })

  test('a key is found on the partition that partitionOf says', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 12)
    const found = new Map<string, number>()
    await read(bus, topic, unique('group'), {
      onBatch: async ({ partition, records }) => {
        for (const { key } of records) found.set(String(key), partition)
      },
    })
    const keys = ['SPY', 'AAPL', 'BRK.B', 'BTC-USD', 'EUR-USD', 'Zürich', '日経', '', ...numbers(0, 100).map(String)]
    for (const key of keys) await bus.produce(topic, records(key, ['x']))
    await expect.poll(() => found.size, soon).toBe(keys.length)
    for (const [key, partition] of found) expect([key, partition]).toEqual([key, partitionOf(key, 12)])
  })

  test('a record arrives with its key, headers and value, a tombstone without one', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const seen: BusRecord[] = []
    await read(bus, topic, unique('group'), { onBatch: async ({ records }) => void seen.push(...records) })
    await bus.produce(topic, [
      { key: 'rule-1', value: Buffer.from('on'), headers: { ce_id: '7', 'content-type': 'application/avro' } },
      { key: 'rule-1', value: null },
    ])
    await expect.poll(() => seen.length, soon).toBe(2)
    expect(seen.map(({ key, value, offset }) => [key, value && String(value), offset])).toEqual([
      ['rule-1', 'on', 0],
      ['rule-1', null, 1],
    ])
    expect(seen[0].headers).toEqual({ ce_id: '7', 'content-type': 'application/avro' })
    expect(seen[1].headers).toEqual({})
  })

  test('two groups get everything, each for itself', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 3)
    const readers = [await read(bus, topic, unique('ticks')), await read(bus, topic, unique('bars'))]
    await bus.produce(topic, records('AAPL', numbers(0, 100)))
    for (const { seen } of readers) await expect.poll(() => seen, soon).toEqual(numbers(0, 100).map(String))
  })

  test('a slow group holds up no other', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const stuck = Promise.withResolvers<void>()
    await read(bus, topic, unique('slow'), { onBatch: () => stuck.promise })
    const { seen } = await read(bus, topic, unique('fast'))
    for (const i of numbers(0, 20)) await bus.produce(topic, records('AAPL', [i]))
    await expect.poll(() => seen.length, soon).toBe(20)
    stuck.resolve()
  })

  test('while a batch is handled no more of its partition is delivered', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const batches: RecordBatch[] = []
    const held = Promise.withResolvers<void>()
    await read(bus, topic, unique('slow'), {
      onBatch: (batch) => (batches.push(batch) === 1 ? held.promise : Promise.resolve()),
    })
    const witness = await read(bus, topic, unique('witness'))
    await bus.produce(topic, records('AAPL', [1]))
    await expect.poll(() => batches.length, soon).toBe(1)
    await bus.produce(topic, records('AAPL', [2, 3]))
    await expect.poll(() => witness.seen.length, soon).toBe(3)
    expect(batches).toHaveLength(1)
    held.resolve()
    await expect
      .poll(() => batches.flatMap((batch) => batch.records.map(({ value }) => String(value))), soon)
      .toEqual(['1', '2', '3'])
  })

  test('two consumers share a topic, and when one leaves the other gets all of it', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 4)
    const group = unique('group')
    const first = await read(bus, topic, group)
    const second = await read(bus, topic, group)
    await expect
      .poll(() => [...first.consumer.assigned, ...second.consumer.assigned].sort(), soon)
      .toEqual([0, 1, 2, 3])
    expect(second.consumer.assigned).toHaveLength(2)
    const keys = numbers(0, 40).map((i) => `K${i}`)
    await bus.produce(
      topic,
      keys.flatMap((key) => records(key, [`${key}-together`])),
    )
    const all = () => [...first.seen, ...second.seen]
    await expect.poll(() => new Set(all()).size, soon).toBe(40)
    expect(first.seen.length).toBeGreaterThan(0)
    expect(second.seen.length).toBeGreaterThan(0)

    await first.consumer[Symbol.asyncDispose]()
    await expect.poll(() => [...second.consumer.assigned].sort(), soon).toEqual([0, 1, 2, 3])
    await bus.produce(
      topic,
      keys.flatMap((key) => records(key, [`${key}-alone`])),
    )
    await expect.poll(() => second.seen.filter((value) => value.endsWith('alone')).length, soon).toBe(40)
  })

  test('a rejected batch is delivered again from its first record, and nothing overtakes it', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const tries: string[] = []
    await read(bus, topic, unique('group'), {
      onBatch: async ({ records }) => {
        tries.push(records.map(({ value }) => String(value)).join(' '))
        if (tries.length < 3) throw new Error('not now')
      },
    })
    await bus.produce(topic, records('AAPL', [1, 2]))
    await expect.poll(() => tries, soon).toEqual(['1 2', '1 2', '1 2'])
    await bus.produce(topic, records('AAPL', [3]))
    await expect.poll(() => tries.at(-1), soon).toBe('3')
  })

  test('in a rebalance the old owner is told before the new one is given anything', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 2)
    const group = unique('group')
    const events: string[] = []
    const held = Promise.withResolvers<void>()
    const currents: (() => boolean)[] = []
    const owner = await read(bus, topic, group, {
      onRevoked: () => events.push('revoked'),
      onBatch: async (_batch, current) => {
        currents.push(current)
        await held.promise
      },
    })
    await bus.produce(topic, [...records('AAPL', [1]), ...records('MSFT', [2]), ...records('IBM', [3])])
    await expect.poll(() => currents.length, soon).toBeGreaterThan(0)
    expect(currents.every((current) => current())).toBe(true)

    const taken: string[] = []
    const heir = await read(bus, topic, group, {
      onBatch: async (batch) => {
        events.push('delivered')
        for (const { value } of batch.records) taken.push(String(value))
      },
    })
    await expect.poll(() => events, soon).toContain('delivered')
    expect(events[0]).toBe('revoked')
    expect(currents.some((current) => current())).toBe(false)
    held.resolve()
    expect(heir.consumer.assigned).toHaveLength(1)
    await owner.consumer[Symbol.asyncDispose]()
    await expect.poll(() => new Set(taken), soon).toEqual(new Set(['1', '2', '3']))
  })

  test('what was said to be processed is not delivered to the next member', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const group = unique('group')
    const before = await read(bus, topic, group)
    await bus.produce(topic, records('AAPL', [1, 2, 3]))
    await expect.poll(() => before.seen.length, soon).toBe(3)
    await before.consumer[Symbol.asyncDispose]()
    const after = await read(bus, topic, group)
    await bus.produce(topic, records('AAPL', [4]))
    await expect.poll(() => after.seen, soon).toEqual(['4'])
  })

  test('what was not said to be processed is delivered again', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const group = unique('group')
    const delivered: BusRecord[] = []
    const before = await read(bus, topic, group, { onBatch: async ({ records }) => void delivered.push(...records) })
    await bus.produce(topic, records('AAPL', [1, 2, 3]))
    await expect.poll(() => delivered.length, soon).toBe(3)
    await before.consumer[Symbol.asyncDispose]()
    const after = await read(bus, topic, group)
    await expect.poll(() => after.seen, soon).toEqual(['1', '2', '3'])
  })

  test('a group starts where its position says, whatever was processed', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const group = unique('group')
    await bus.produce(topic, records('AAPL', numbers(0, 10)))
    const before = await read(bus, topic, group)
    await expect.poll(() => before.seen.length, soon).toBe(10)
    await before.consumer[Symbol.asyncDispose]()
    const told: OffsetRange[] = []
    const { seen } = await read(bus, topic, group, {
      position: async (ranges) => {
        told.push(...ranges.values())
        return new Map([[0, 4]])
      },
    })
    await expect.poll(() => seen, soon).toEqual(numbers(4, 10).map(String))
    expect(told).toEqual([{ low: 0, high: 10 }])
  })

  test('a position that cannot be told yet is asked for again', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    await bus.produce(topic, records('AAPL', [0, 1]))
    let asked = 0
    const { seen } = await read(bus, topic, unique('group'), {
      position: async () => {
        if (++asked < 3) throw new Error('the database is away')
        return new Map([[0, 1]])
      },
    })
    await expect.poll(() => seen, soon).toEqual(['1'])
    expect(asked).toBe(3)
  })

  test('a position that the bus does not hold ends the consumer with a sentence, and nothing is reset', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const group = unique('group')
    await bus.produce(topic, records('AAPL', numbers(0, 5)))
    const { seen, fatal, consumer } = await read(bus, topic, group, { position: async () => new Map([[0, 6]]) })
    await expect.poll(() => fatal.length, soon).toBe(1)
    const error = fatal[0] as PlatformError
    expect(error.code).toBe('OFFSET_LOST')
    expect(error.message).toContain(`${group} must go on at offset 6 of ${topic}[0], but the bus holds 0 to 5`)
    expect(seen).toEqual([])
    expect(consumer.assigned).toEqual([])
  })

  test('a repositioned partition goes on from what position says now, and the batch in hand is no longer current', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    let from = 0
    const seen: string[] = []
    const currents: (() => boolean)[] = []
    const { consumer } = await read(bus, topic, unique('group'), {
      position: async () => new Map([[0, from]]),
      onBatch: async ({ records }, current) => {
        currents.push(current)
        for (const { value } of records) seen.push(String(value))
      },
    })
    await bus.produce(topic, records('AAPL', numbers(0, 5)))
    await expect.poll(() => seen.length, soon).toBe(5)
    from = 3
    consumer.reposition([0])
    expect(currents.some((current) => current())).toBe(false)
    await expect.poll(() => seen, soon).toEqual(['0', '1', '2', '3', '4', '3', '4'])
    await bus.produce(topic, records('AAPL', [5]))
    await expect.poll(() => seen.at(-1), soon).toBe('5')
    expect(seen).toHaveLength(8)
  })

  test('a repositioned partition is left alone until the batch in hand has ended', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const held = Promise.withResolvers<void>()
    let running = 0
    let runningMax = 0
    const seen: string[] = []
    const { consumer } = await read(bus, topic, unique('group'), {
      position: async () => new Map([[0, 0]]),
      onBatch: async ({ records }) => {
        runningMax = Math.max(runningMax, ++running)
        if (seen.length === 0) await held.promise
        for (const { value } of records) seen.push(String(value))
        running--
      },
    })
    await bus.produce(topic, records('AAPL', [0]))
    await expect.poll(() => running, soon).toBe(1)
    consumer.reposition([0])
    held.resolve()
    await expect.poll(() => seen, soon).toEqual(['0', '0'])
    expect(runningMax).toBe(1)
  })

  test('a closed consumer is given nothing more, and closing waits for the batch in hand', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const group = unique('group')
    let ended = 0
    const held = Promise.withResolvers<void>()
    const { consumer } = await read(bus, topic, group, {
      onBatch: async () => {
        await held.promise
        ended++
      },
    })
    await bus.produce(topic, records('AAPL', [1]))
    const witness = await read(bus, topic, unique('witness'))
    await expect.poll(() => witness.seen, soon).toEqual(['1'])
    const closing = consumer[Symbol.asyncDispose]()
    held.resolve()
    await closing
    const endedAtClose = ended
    expect(endedAtClose).toBeLessThanOrEqual(1)
    await bus.produce(topic, records('AAPL', [2]))
    await expect.poll(() => witness.seen, soon).toEqual(['1', '2'])
    expect(ended).toBe(endedAtClose)
  })

  test('a record over the limit is refused whole, and the bus goes on', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const big = { key: 'AAPL', value: Buffer.alloc(RECORD_BYTES_MAX) }
    await expect(bus.produce(topic, [...records('AAPL', [1]), big])).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringMatching(/"AAPL" has \d+ bytes, at most \d+ are taken/),
    })
    await bus.produce(topic, records('AAPL', [2]))
    const { seen } = await read(bus, topic, unique('group'))
    await expect.poll(() => seen, soon).toEqual(['2'])
  })

  test('a record just under the limit is taken', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const key = 'AAPL'
    await bus.produce(topic, [{ key, value: Buffer.alloc(RECORD_BYTES_MAX - 32 - 3 * key.length) }])
    const { seen } = await read(bus, topic, unique('group'))
    await expect.poll(() => seen.length, soon).toBe(1)
  })

  test('a topic that exists is left as it is', async () => {
    await using bus = await open()
    const topic = await newTopic(bus, 3)
    await bus.produce(topic, records('AAPL', [1]))
    await newTopic(bus, 5, topic)
    const ranges = await bus.offsets(topic)
    expect([...ranges.keys()].sort()).toEqual([0, 1, 2])
    expect([...ranges.values()].reduce((sum, { high, low }) => sum + high - low, 0)).toBe(1)
  })

  test('settled means that a crash of this process loses nothing of what was produced before', async () => {
    await using bus = await open()
    const topic = await newTopic(bus)
    const { seen } = await read(bus, topic, unique('group'))
    await bus.produce(topic, records('AAPL', [1, 2, 3]))
    await bus.settled()
    await expect.poll(() => seen, soon).toEqual(['1', '2', '3'])
  })

  test('a closed bus says so', async () => {
    const bus = await open()
    const topic = await newTopic(bus)
    await bus.ping()
    await bus[Symbol.asyncDispose]()
    await expect(bus.produce(topic, records('AAPL', [1]))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
    await expect(bus.ping()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
  })
})
