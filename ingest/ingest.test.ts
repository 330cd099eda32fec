import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import type { OutgoingRecord } from '../platform/bus/bus.ts'
import { MemoryBus } from '../platform/bus/memory-bus.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import {
  busAway,
  codec,
  fact,
  pass,
  positionsOf,
  reject,
  ScriptedSource,
  storeAway,
  untilAborted,
  world,
} from '../tests/support/ingest-world.ts'
import { runIngest } from './ingest.ts'
import type { Source } from './source.ts'

describe('ingest', () => {
  test('every fact reaches the bus under its symbol, in the order of the source', async () => {
    const metrics = openMetrics()
    await using bus = new MemoryBus({ log: silentLog, metrics })
    await bus.createTopics([{ name: 'stock-data', partitions: 3, retentionMs: 1_000 }])
    const seen = new Map<string, number[]>()
    await using _consumer = await bus.consume({
      group: 'test',
      topic: 'stock-data',
      onBatch: async ({ records, partition, nextOffset }) => {
        for (const { key, value } of records) {
          const { symbol, position } = codec.decode('stock-data', value ?? Buffer.alloc(0))
          expect(key).toBe(symbol)
          seen.set(symbol, [...(seen.get(symbol) ?? []), position])
        }
        _consumer.processed(partition, nextOffset)
      },
      onFatal: (error) => expect.unreachable(error.message),
    })
    const { run, saved } = world(
      new ScriptedSource([[fact(0, 'AAPL'), fact(1, 'MSFT'), fact(2, 'AAPL')], [fact(3, 'MSFT')], [fact(4, 'AAPL')]]),
    )
    const totals = await runIngest({ ...run, bus })
    expect(Object.fromEntries(seen)).toEqual({ AAPL: [0, 2, 4], MSFT: [1, 3] })
    expect(totals).toMatchObject({ read: 5, produced: 5, rejected: 0, resumedFrom: undefined })
    expect(saved.at(-1)).toBe(3)
  })

  test('what is not a fact goes to the dead letters and is counted', async () => {
    const source: Source<number> = {
      name: 'test',
      async *read() {
        yield { ticks: [fact(0)], rejects: [reject(1)], checkpoint: 1 }
      },
    }
    const { run, start, deadLetters } = world(source)
    expect(await start()).toMatchObject({ read: 2, produced: 1, rejected: 1 })
    expect(deadLetters).toEqual([reject(1)])
    expect((await run.metrics.ingestRejects.get()).values[0].value).toBe(1)
  })

  test('it goes on from the saved checkpoint', async () => {
    const { run, start, produced } = world(new ScriptedSource([[fact(0)], [fact(1)], [fact(2)]]))
    run.checkpoints.load = async () => 2
    expect((await start()).resumedFrom).toBe(2)
    expect(positionsOf(produced)).toEqual([2])
  })

  test('a large batch is produced in bounded pieces', async () => {
    const facts = Array.from({ length: 25 }, (_, i) => fact(i))
    const { start, produced } = world(new ScriptedSource([facts]), { recordsMax: 10 })
    await start()
    expect(produced.map((records) => records.length)).toEqual([10, 10, 5])
    expect(positionsOf(produced)).toEqual(facts.map((_, i) => i))
  })

  test('at most one batch is in hand and one read ahead', async () => {
    const source = new ScriptedSource(Array.from({ length: 9 }, (_, i) => [fact(i)]))
    const { run, start, clock } = world(source)
    const taken = Promise.withResolvers<void>()
    run.bus.produce = () => taken.promise
    const ended = start()
    await pass(clock, () => source.told === 2)
    await clock.advance(5_000)
    expect(source.told).toBe(2)
    taken.resolve()
    expect((await ended).produced).toBe(9)
  })

  describe('checkpoints', () => {
    test('are saved only after the bus has settled what was told before', async () => {
      const { run, start, clock, saved } = world(new ScriptedSource([[fact(0)]]))
      const settling = Promise.withResolvers<void>()
      let asked = false
      run.bus.settled = () => {
        asked = true
        return settling.promise
      }
      const ended = start()
      await pass(clock, () => asked)
      await clock.advance(60_000)
      expect(saved).toEqual([])
      settling.resolve()
      await ended
      expect(saved).toEqual([1])
    })

    test('are saved every second while the source is quiet but not at its end', async () => {
      const { start, clock, saved, stop } = world(new ScriptedSource([[fact(0)], [fact(1)]], untilAborted))
      const ended = start()
      await turn()
      await clock.advance(999)
      expect(saved).toEqual([])
      await clock.advance(1)
      await expect.poll(() => saved).toEqual([2])
      stop.abort()
      await ended
      expect(saved).toEqual([2])
    })

    test('are saved at once where the source tells nothing else', async () => {
      const { start, saved, stop } = world(new ScriptedSource([[]], untilAborted))
      const ended = start()
      await expect.poll(() => saved).toEqual([1])
      stop.abort()
      await ended
    })

    test('are told to the source when they are durable', async () => {
      const source = new ScriptedSource([[fact(0)], [fact(1)]])
      await world(source).start()
      expect(source.savedCheckpoints).toEqual([2])
    })

    test('are saved for what was acknowledged when it is stopped in the middle', async () => {
      const source = new ScriptedSource([[fact(0)], [fact(1)], [fact(2)]])
      const { run, start, clock, saved, stop } = world(source)
      const produce = run.bus.produce
      run.bus.produce = async (topic, records) => {
        if (positionsOf([records])[0] === 1) throw busAway()
        await produce(topic, records)
      }
      const ended = start()
      await pass(clock, () => source.told === 3)
      stop.abort()
      expect((await ended).produced).toBe(1)
      expect(saved.at(-1)).toBe(1)
    })
  })

  describe('while the bus is away', () => {
    test('the very same records are produced again until it is back', async () => {
      const { run, start, clock, produced } = world(new ScriptedSource([[fact(0), fact(1)]]))
      const tries: (readonly OutgoingRecord[])[] = []
      run.bus.produce = async (_topic, records) => {
        tries.push(records)
        if (tries.length < 20) throw busAway()
        produced.push(records)
      }
      const ended = start()
      await pass(clock, () => produced.length === 1)
      await ended
      expect(new Set(tries).size).toBe(1)
      expect(positionsOf(produced)).toEqual([0, 1])
    })

    test('the pauses between tries grow, up to their bound', async () => {
      const { run, start, clock, stop } = world(new ScriptedSource([[fact(0)]]), {
        backoffMsMin: 100,
        backoffMsMax: 2_000,
      })
      const triedMs: number[] = []
      run.bus.produce = async () => {
        triedMs.push(clock.now())
        throw busAway()
      }
      const ended = start()
      await pass(clock, () => triedMs.length >= 12)
      stop.abort()
      await ended
      const pauses = triedMs.slice(1).map((ms, i) => ms - triedMs[i])
      expect(pauses[0]).toBeLessThanOrEqual(150)
      expect(Math.max(...pauses)).toBeLessThanOrEqual(2_050)
      expect(pauses.at(-1)).toBeGreaterThanOrEqual(1_000)
    })

    test('the log tells once that it is away and once that it is back, and every try is counted', async () => {
      const { run, start, clock, lines } = world(new ScriptedSource([[fact(0)]]))
      let tries = 0
      run.bus.produce = async () => {
        if (++tries <= 5) throw busAway()
      }
      const ended = start()
      await pass(clock, () => tries === 6)
      await ended
      expect(lines.map((line) => line.msg)).toEqual([
        'test could not produce to stock-data; it tries until it works',
        'test could produce to stock-data again',
      ])
      expect((await run.metrics.ingestRetries.get()).values).toMatchObject([{ value: 5, labels: { on: 'bus' } }])
      expect((await run.metrics.ingestWaiting.get()).values[0].value).toBe(0)
    })

    test('a stop is not held up', async () => {
      const { run, start, clock, stop, saved } = world(new ScriptedSource([[fact(0)]]))
      let tries = 0
      run.bus.produce = async () => {
        tries++
        throw busAway()
      }
      const ended = start()
      await pass(clock, () => tries > 3)
      stop.abort()
      expect(await ended).toMatchObject({ produced: 0 })
      expect(saved).toEqual([])
    })

    test('a call that never comes back is given up after the close timeout', async () => {
      const { run, start, clock, stop } = world(new ScriptedSource([[fact(0)]]), { closeTimeoutMs: 3_000 })
      let called = false
      run.bus.produce = () => {
        called = true
        return new Promise(() => {})
      }
      const ended = start()
      await pass(clock, () => called)
      const stoppedMs = clock.now()
      stop.abort()
      let end: unknown
      void ended.then((totals) => {
        end = totals
      })
      await pass(clock, () => end !== undefined)
      expect(clock.now() - stoppedMs).toBeGreaterThanOrEqual(3_000)
      expect(clock.now() - stoppedMs).toBeLessThan(4_000)
    })
  })

  test('a record over the size limit goes to the dead letters and the others go on in order', async () => {
    const facts = Array.from({ length: 20 }, (_, i) => fact(i))
    const { run, start, produced, deadLetters } = world(new ScriptedSource([facts]))
    const produce = run.bus.produce
    run.bus.produce = async (topic, records) => {
      const positions = positionsOf([records])
      if (positions.includes(7) || positions.includes(8))
        throw new PlatformError('MESSAGE_TOO_LARGE', 'A record must be at most 1 MiB')
      await produce(topic, records)
    }
    expect(await start()).toMatchObject({ read: 20, produced: 18, rejected: 2 })
    expect(deadLetters.map(({ position, reason }) => [position, reason])).toEqual([
      [7, 'A record must be at most 1 MiB'],
      [8, 'A record must be at most 1 MiB'],
    ])
    expect(positionsOf(produced)).toEqual([...Array(20).keys()].filter((position) => position !== 7 && position !== 8))
  })

  test('while the store is away nothing is skipped: checkpoint and dead letters wait for it', async () => {
    const source: Source<number> = {
      name: 'test',
      async *read() {
        yield { ticks: [fact(0)], rejects: [reject(1)], checkpoint: 1 }
        yield { ticks: [fact(2)], rejects: [], checkpoint: 2 }
      },
    }
    const { run, start, clock, saved, deadLetters, produced } = world(source)
    let isAway = true
    let refused = 0
    const whenBack =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (!isAway) return call(...args)
        refused++
        throw storeAway()
      }
    run.checkpoints.load = whenBack(run.checkpoints.load)
    run.checkpoints.save = whenBack(run.checkpoints.save)
    run.deadLetters.append = whenBack(run.deadLetters.append)
    const ended = start()
    await pass(clock, () => refused > 5)
    expect(produced).toEqual([])
    isAway = false
    await pass(clock, () => saved.length > 0)
    await ended
    expect(deadLetters).toEqual([reject(1)])
    expect(positionsOf(produced)).toEqual([0, 2])
    expect(saved.at(-1)).toBe(2)
  })

  test('an error of the source ends it, after what it told before is saved', async () => {
    const broken = new PlatformError('INVALID_TAPE', 'The tape is torn')
    const { start, saved, produced } = world(
      new ScriptedSource([[fact(0)]], async () => {
        throw broken
      }),
    )
    await expect(start()).rejects.toBe(broken)
    expect(positionsOf(produced)).toEqual([0])
    expect(saved).toEqual([1])
  })

  test('an error that will not pass by itself ends it', async () => {
    const refused = new PlatformError('SCHEMA_INCOMPATIBLE', 'Not like before')
    const { run, start } = world(new ScriptedSource([[fact(0)]], untilAborted))
    run.bus.produce = async () => {
      throw refused
    }
    await expect(start()).rejects.toBe(refused)
  })

  test('a checkpoint that can never be saved ends it, even while the source is quiet', async () => {
    const refused = new PlatformError('STORE_INCOMPATIBLE', 'Another version')
    const { run, start, clock } = world(new ScriptedSource([[fact(0)]], untilAborted))
    let asked = false
    run.checkpoints.save = async () => {
      asked = true
      throw refused
    }
    const ended = start()
    await pass(clock, () => asked)
    await expect(ended).rejects.toBe(refused)
  })
})
