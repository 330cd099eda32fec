import { describe, expect, test, vi } from 'vitest'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { ListenerQueue, listen } from './listener-queue.ts'
import { MemoryPubSub } from './memory-pubsub.ts'
import type { PubSub } from './pubsub.ts'

interface Price {
  readonly symbol: string
  readonly price: number
}
const at = (symbol: string, price: number): Price => ({ symbol, price })
const END = { value: undefined, done: true }

async function drain<T>(queue: ListenerQueue<T>): Promise<T[]> {
  const events: T[] = []
  while (queue.waiting > 0) for (const result of [await queue.next()]) if (!result.done) events.push(result.value)
  return events
}

describe('keeping all', () => {
  test('a reader who keeps up gets every event in order', async () => {
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 2 })
    const read: number[] = []
    for (let n = 0; n < 100; n++) {
      queue.push(n)
      read.push(...(await drain(queue)))
    }
    expect(read).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(queue.dropped).toBe(0)
  })

  test('over the limit the oldest gives way and is counted', async () => {
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    for (let n = 1; n <= 10; n++) queue.push(n)
    expect(queue.dropped).toBe(7)
    expect(await drain(queue)).toEqual([8, 9, 10])
  })

  test('reading makes room again, wherever the buffer stands', async () => {
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    const read: unknown[] = []
    for (let n = 1; n <= 30; n++) {
      queue.push(n)
      if (n % 3 === 0) read.push((await queue.next()).value, (await queue.next()).value)
    }
    read.push(...(await drain(queue)))
    // One more comes in each round than is read, so from the second on each round drops one.
    expect(read.length + queue.dropped).toBe(30)
    expect(read).toEqual([...read].sort((a, b) => Number(a) - Number(b)))
  })

  test.each([0, -1, 1.5, Number.NaN])('a limit of %s is refused', (limit) => {
    expect(() => new ListenerQueue({ keep: 'all', limit })).toThrow('whole number above 0')
  })
})

describe('keeping the latest', () => {
  const conflating = (limit?: number) => new ListenerQueue<Price>({ keep: 'latest', keyOf: (e) => e.symbol, limit })

  test('a slow reader gets the newest event per key, the ones in between are counted', async () => {
    const queue = conflating()
    for (const price of [1, 2, 3]) queue.push(at('AAPL', price))
    expect(await queue.next()).toEqual({ value: at('AAPL', 3), done: false })
    expect(queue.dropped).toBe(2)
  })

  test('a busy key does not push a quiet one back', async () => {
    const queue = conflating()
    queue.push(at('BUSY', 1))
    queue.push(at('QUIET', 1))
    for (let price = 2; price < 100; price++) queue.push(at('BUSY', price))
    expect(await drain(queue)).toEqual([at('BUSY', 99), at('QUIET', 1)])
  })

  test('more keys than the limit: the one that waited longest gives way', async () => {
    const queue = conflating(2)
    for (const symbol of ['A', 'B', 'C']) queue.push(at(symbol, 1))
    expect(queue.dropped).toBe(1)
    expect(await drain(queue)).toEqual([at('B', 1), at('C', 1)])
  })
})

describe('the end', () => {
  test('after the end, what waited can still be read', async () => {
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    queue.push(1)
    queue.end()
    queue.push(2)
    expect(await queue.next()).toEqual({ value: 1, done: false })
    expect(await queue.next()).toEqual(END)
  })

  test('a reader who returns gets nothing more, and reads under way end', async () => {
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    const reads = [queue.next(), queue.next()]
    await queue.return()
    queue.push(1)
    expect(await Promise.all(reads)).toEqual([END, END])
    expect(await queue.next()).toEqual(END)
  })

  test('breaking out of a loop leaves the channel', async () => {
    const leave = vi.fn(async () => {})
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    queue.onReturn(leave)
    queue.push(1)
    for await (const _ of queue) break
    expect(leave).toHaveBeenCalledOnce()
  })

  test('returning twice leaves once', async () => {
    const leave = vi.fn(async () => {})
    const queue = new ListenerQueue<number>({ keep: 'all', limit: 3 })
    queue.onReturn(leave)
    await Promise.all([queue.return(), queue.return(), queue[Symbol.asyncDispose]()])
    expect(leave).toHaveBeenCalledOnce()
  })
})

describe('listen', () => {
  const keys = [
    { channel: 'tick', key: 'AAPL' },
    { channel: 'tick', key: 'MSFT' },
  ] as const
  const memory = () => new MemoryPubSub({ metrics: openMetrics(), log: silentLog })

  /** Says yes to the first, then what the test tells it to. */
  function refusing(second: () => Promise<() => Promise<void>>) {
    const leave = vi.fn(async () => {})
    let asked = 0
    const pubsub: PubSub = Object.assign(memory(), {
      subscribe: () => (asked++ === 0 ? Promise.resolve(leave) : second()),
    })
    return { pubsub, leave }
  }

  test('hears all of its channels', async () => {
    await using pubsub = memory()
    await using queue = await listen(pubsub, keys, { keep: 'all', limit: 10 })
    await pubsub.publish('tick', 'MSFT', { ticks: [], skipped: 1 })
    await pubsub.publish('tick', 'AAPL', { ticks: [], skipped: 2 })
    expect((await drain(queue)).map((event) => event.skipped)).toEqual([1, 2])
  })

  test('what the reader does not want takes no room', async () => {
    await using pubsub = memory()
    const only = ({ skipped }: { skipped: number }, key: string) => skipped > 1 && key === 'AAPL'
    await using queue = await listen(pubsub, keys, { keep: 'all', limit: 1, only })
    for (const skipped of [2, 1]) await pubsub.publish('tick', 'AAPL', { ticks: [], skipped })
    await pubsub.publish('tick', 'MSFT', { ticks: [], skipped: 3 })
    expect((await drain(queue)).map((event) => event.skipped)).toEqual([2])
    expect(queue.dropped).toBe(0)
  })

  test('where one of them cannot be heard, the others are left', async () => {
    const { pubsub, leave } = refusing(() => Promise.reject(new Error('away')))
    await expect(listen(pubsub, keys, { keep: 'all', limit: 10 })).rejects.toThrow('away')
    expect(leave).toHaveBeenCalledOnce()
  })

  test('aborting while it is being asked for leaves what was live, also what becomes live later', async () => {
    const gate = Promise.withResolvers<() => Promise<void>>()
    const { pubsub, leave } = refusing(() => gate.promise)
    const controller = new AbortController()
    const listening = listen(pubsub, keys, { keep: 'all', limit: 10 }, controller.signal)
    const refused = expect(listening).rejects.toThrow('aborted')
    controller.abort()
    const leaveLate = vi.fn(async () => {})
    gate.resolve(leaveLate)
    await refused
    expect(leave).toHaveBeenCalledOnce()
    expect(leaveLate).toHaveBeenCalledOnce()
  })

  test('a signal that is aborted already asks for nothing', async () => {
    const { pubsub } = refusing(() => Promise.reject(new Error('asked')))
    await expect(listen(pubsub, keys, { keep: 'all', limit: 10 }, AbortSignal.abort())).rejects.toThrow('aborted')
  })

  test('a reader that has left no longer holds on to its signal', async () => {
    await using pubsub = memory()
    const controller = new AbortController()
    const removed = vi.spyOn(controller.signal, 'removeEventListener')
    const queue = await listen(pubsub, keys, { keep: 'all', limit: 10 }, controller.signal)
    await queue.return()
    expect(removed).toHaveBeenCalledOnce()
  })
})
