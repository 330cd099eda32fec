import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { tick } from '../../domain/tick.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import { MemoryPubSub } from '../../platform/pubsub/memory-pubsub.ts'
import type { PubSub, TickUpdate } from '../../platform/pubsub/pubsub.ts'
import { RedisPubSub } from '../../platform/pubsub/redis-pubsub.ts'

interface Opened {
  readonly pubsub: PubSub
  readonly metrics: ReturnType<typeof openMetrics>
  readonly prefix: string
}

const redisUrl = process.env.REDIS_URL

const backends: [name: string, open: () => Opened][] = [
  [
    'memory',
    () => {
      const metrics = openMetrics()
      return { pubsub: new MemoryPubSub({ metrics, log: silentLog }), metrics, prefix: '' }
    },
  ],
]
if (redisUrl !== undefined)
  backends.push([
    'Redis',
    () => {
      const metrics = openMetrics()
      // A prefix of its own for each test: what another one left behind is not heard.
      const prefix = `test-${randomUUID()}`
      return { pubsub: new RedisPubSub({ url: redisUrl, prefix, metrics, log: silentLog }), metrics, prefix }
    },
  ])

const update = (price: number, symbol = 'AAPL'): TickUpdate => {
  const seq = Math.floor(price)
  const print = { symbol, price, size: 1, eventTimeMs: 1, ingestTimeMs: 2, seq, source: 'test', position: seq }
  return { ticks: [tick(print)], skipped: 0 }
}
const priceOf = (event: TickUpdate | undefined) => event?.ticks[0]?.price

describe.each(backends)('PubSub on %s', (_name, open) => {
  test('what is published arrives as it was', async () => {
    await using pubsub = open().pubsub
    const seen: unknown[] = []
    const event = { ticks: [...update(190).ticks, ...update(191.25).ticks], skipped: 3 }
    const bar = {
      symbol: 'AAPL',
      interval: '5m',
      startMs: 300_000,
      open: 1,
      high: 3,
      low: 0.5,
      close: 2,
      volume: 10,
      trades: 4,
      closed: true,
    } as const
    await pubsub.subscribe('tick', 'AAPL', (heard) => seen.push(heard))
    await pubsub.subscribe('bar', 'AAPL:5m', (heard) => seen.push(heard))
    await pubsub.publish('tick', 'AAPL', event)
    await pubsub.publish('bar', 'AAPL:5m', bar)
    await expect.poll(() => seen).toEqual([event, bar])
  })

  test('subscribe resolves when live: what is published right after arrives', async () => {
    await using pubsub = open().pubsub
    for (let round = 1; round <= 200; round++) {
      const heard = Promise.withResolvers<number | undefined>()
      const leave = await pubsub.subscribe('tick', `SYM${round}`, (event) => heard.resolve(priceOf(event)))
      await pubsub.publish('tick', `SYM${round}`, update(round))
      expect(await heard.promise).toBe(round)
      if (round % 2 === 0) await leave()
    }
  })

  test('one listener leaving does not silence another', async () => {
    await using pubsub = open().pubsub
    const seen: unknown[] = []
    const leave = await pubsub.subscribe('tick', 'AAPL', () => {})
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    await leave()
    await leave()
    await pubsub.publish('tick', 'AAPL', update(190))
    await expect.poll(() => seen).toEqual([190])
  })

  test('who has left hears nothing more', async () => {
    await using pubsub = open().pubsub
    const left: unknown[] = []
    const stayed: unknown[] = []
    const leave = await pubsub.subscribe('tick', 'AAPL', (event) => left.push(priceOf(event)))
    await leave()
    await pubsub.subscribe('tick', 'AAPL', (event) => stayed.push(priceOf(event)))
    await pubsub.publish('tick', 'AAPL', update(1))
    await expect.poll(() => stayed).toEqual([1])
    expect(left).toEqual([])
  })

  test('whoever subscribes while the last one leaves hears everything', async () => {
    await using pubsub = open().pubsub
    let leave = await pubsub.subscribe('tick', 'AAPL', () => {})
    for (let round = 1; round <= 100; round++) {
      const seen: unknown[] = []
      const [, next] = await Promise.all([
        leave(),
        pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event))),
      ])
      await pubsub.publish('tick', 'AAPL', update(round))
      await expect.poll(() => seen, { interval: 1 }).toEqual([round])
      leave = next
    }
  })

  test('one of two who subscribe at the same time may leave at once', async () => {
    await using pubsub = open().pubsub
    for (let round = 1; round <= 50; round++) {
      const seen: unknown[] = []
      const first = pubsub.subscribe('tick', 'AAPL', () => {}).then((leave) => leave())
      const [, leave] = await Promise.all([
        first,
        pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event))),
      ])
      await pubsub.publish('tick', 'AAPL', update(round))
      await expect.poll(() => seen, { interval: 1 }).toEqual([round])
      await leave()
    }
  })

  test('events of one key arrive in the order they were published', async () => {
    await using pubsub = open().pubsub
    const seen: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    const prices = Array.from({ length: 2_000 }, (_, index) => index + 1)
    await Promise.all(prices.map((price) => pubsub.publish('tick', 'AAPL', update(price))))
    await expect.poll(() => seen.length).toBe(prices.length)
    expect(seen).toEqual(prices)
  })

  test('a listener that publishes does not change the order in which others hear', async () => {
    await using pubsub = open().pubsub
    const seen: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => {
      if (priceOf(event) === 1) void pubsub.publish('tick', 'AAPL', update(2))
    })
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    await pubsub.publish('tick', 'AAPL', update(1))
    await expect.poll(() => seen).toEqual([1, 2])
  })

  test('nobody hears what was published for another key', async () => {
    await using pubsub = open().pubsub
    const heard = new Map<string, unknown[]>(['AAPL', 'AAPL.X', 'AAP', 'MSFT'].map((symbol) => [symbol, []]))
    for (const [symbol, seen] of heard)
      await pubsub.subscribe('tick', symbol, (event) => seen.push(event.ticks[0]?.symbol))
    for (let round = 1; round <= 50; round++)
      await Promise.all([...heard.keys()].map((symbol) => pubsub.publish('tick', symbol, update(round, symbol))))
    for (const [symbol, seen] of heard) await expect.poll(() => seen).toEqual(Array.from({ length: 50 }, () => symbol))
  })

  test('a listener that throws is counted; the others hear', async () => {
    const { pubsub, metrics } = open()
    await using _ = pubsub
    const seen: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', () => {
      throw new Error('mine')
    })
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    await pubsub.publish('tick', 'AAPL', update(1))
    await pubsub.publish('tick', 'AAPL', update(2))
    await expect.poll(() => seen).toEqual([1, 2])
    expect(await metrics.pubsubListenerFailures.get()).toMatchObject({
      values: [{ value: 2, labels: { channel: 'tick' } }],
    })
  })

  test('publishing with nobody listening succeeds', async () => {
    const { pubsub, metrics } = open()
    await using _ = pubsub
    await pubsub.publish('tick', 'AAPL', update(1))
    expect(await metrics.pubsubPublished.get()).toMatchObject({ values: [{ value: 1 }] })
  })

  test('a large event arrives whole', async () => {
    await using pubsub = open().pubsub
    const seen: TickUpdate[] = []
    const large = { ticks: Array.from({ length: 50_000 }, () => update(123.456).ticks).flat(), skipped: 7 }
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(event))
    await pubsub.publish('tick', 'AAPL', large)
    await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(1)
    expect(seen).toEqual([large])
  })

  test('a slow reader loses its oldest events, is told how many, and slows nobody', async () => {
    const { pubsub, metrics } = open()
    await using _ = pubsub
    const seen: unknown[] = []
    await using slow = await listen(pubsub, [{ channel: 'tick', key: 'AAPL' }], { keep: 'all', limit: 10, metrics })
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    for (let price = 1; price <= 3_000; price++) await pubsub.publish('tick', 'AAPL', update(price))
    await expect.poll(() => seen.length).toBe(3_000)
    expect(slow.waiting).toBe(10)
    expect(priceOf((await slow.next()).value)).toBe(2_991)
    expect(slow.dropped).toBe(2_990)
    expect(await metrics.listenerDropped.get()).toMatchObject({
      values: [{ value: 2_990, labels: { channel: 'tick' } }],
    })
  })

  test('a conflating reader gets the newest event of each key', async () => {
    await using pubsub = open().pubsub
    const keys = ['AAPL', 'MSFT'].map((key) => ({ channel: 'tick', key }) as const)
    const keyOf = (event: TickUpdate) => event.ticks[0]?.symbol
    await using reader = await listen(pubsub, keys, { keep: 'latest', keyOf })
    for (const [price, symbol] of [
      [1, 'AAPL'],
      [2, 'MSFT'],
      [3, 'AAPL'],
    ] as const)
      await pubsub.publish('tick', symbol, update(price, symbol))
    await expect.poll(() => reader.dropped).toBe(1)
    expect(priceOf((await reader.next()).value)).toBe(3)
    expect(priceOf((await reader.next()).value)).toBe(2)
  })

  test('closing ends the readers that wait', async () => {
    const { pubsub, metrics } = open()
    const reader = await listen(pubsub, [{ channel: 'tick', key: 'AAPL' }], { keep: 'all', limit: 10 })
    const read = reader.next()
    await pubsub[Symbol.asyncDispose]()
    expect(await read).toEqual({ value: undefined, done: true })
    expect(await metrics.pubsubListeners.get()).toMatchObject({ values: [{ value: 0 }] })
  })

  test('after closing, every call says so', async () => {
    const { pubsub } = open()
    await pubsub[Symbol.asyncDispose]()
    await pubsub[Symbol.asyncDispose]()
    const closed = { code: 'PUBSUB_UNAVAILABLE', message: expect.stringContaining('closed') }
    await expect(pubsub.publish('tick', 'AAPL', update(1))).rejects.toMatchObject(closed)
    await expect(pubsub.subscribe('tick', 'AAPL', () => {})).rejects.toMatchObject(closed)
    await expect(pubsub.ping()).rejects.toMatchObject(closed)
  })

  test('a reader that leaves is missed by nobody', async () => {
    const { pubsub, metrics } = open()
    await using _ = pubsub
    const controller = new AbortController()
    const keys = [
      { channel: 'tick', key: 'AAPL' },
      { channel: 'tick', key: 'MSFT' },
    ] as const
    const reader = await listen(pubsub, keys, { keep: 'all', limit: 10 }, controller.signal)
    const read = reader.next()
    controller.abort()
    expect(await read).toEqual({ value: undefined, done: true })
    expect(await metrics.pubsubListeners.get()).toMatchObject({ values: [{ value: 0 }] })
  })

  test('ping resolves while the backend answers', async () => {
    await using pubsub = open().pubsub
    await pubsub.ping()
  })
})

describe.runIf(redisUrl !== undefined)('PubSub on Redis alone', () => {
  const [, open] = backends[1] ?? backends[0]
  const outside = () => new Redis(redisUrl ?? '')

  test('Redis sees one subscription per process however many listen', async () => {
    const { pubsub, prefix } = open()
    await using _ = pubsub
    const admin = outside()
    const channel = `${prefix}:tick:AAPL`
    const subscribers = async () => (await admin.pubsub('NUMSUB', channel))[1]
    const leaves = await Promise.all(Array.from({ length: 100 }, () => pubsub.subscribe('tick', 'AAPL', () => {})))
    expect(await subscribers()).toBe(1)
    await Promise.all(leaves.slice(1).map((leave) => leave()))
    expect(await subscribers()).toBe(1)
    await leaves[0]?.()
    expect(await subscribers()).toBe(0)
    await admin.quit()
  })

  test('a message from outside that is not an event is counted, not told and not thrown', async () => {
    const { pubsub, metrics, prefix } = open()
    await using _ = pubsub
    const admin = outside()
    const seen: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => seen.push(priceOf(event)))
    const malformed = [
      '',
      '{"broken',
      '{}',
      '[2]',
      '[1]',
      '[1,"AAPL",0,["x"],[[0,0,0,0,0,0,0]]]',
      '[1,"AAPL",0,[],[[1,1,1,1,1,1,9]]]',
    ]
    for (const message of malformed) await admin.publish(`${prefix}:tick:AAPL`, message)
    await pubsub.publish('tick', 'AAPL', update(1))
    await expect.poll(() => seen).toEqual([1])
    expect(await metrics.pubsubMalformed.get()).toMatchObject({ values: [{ value: malformed.length }] })
    await admin.quit()
  })

  test('two processes hear each other', async () => {
    const { pubsub: listening, metrics, prefix } = open()
    await using _ = listening
    await using publishing = new RedisPubSub({ url: redisUrl ?? '', prefix, metrics, log: silentLog })
    const heard = vi.fn()
    await listening.subscribe('tick', 'AAPL', (event) => heard(priceOf(event)))
    await publishing.publish('tick', 'AAPL', update(5))
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith(5))
  })
})
