import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { tick } from '../../domain/tick.ts'
import { openLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import type { TickUpdate } from '../../platform/pubsub/pubsub.ts'
import { RedisPubSub } from '../../platform/pubsub/redis-pubsub.ts'
import { selfSigned } from '../support/certificate.ts'
import { RedisServer } from '../support/redis-server.ts'

/** Long enough for a reconnect with its longest delay, and a slow machine. */
const RECOVERY = { timeout: 15_000, interval: 20 }

const update = (price: number): TickUpdate => ({
  ticks: [
    tick({ symbol: 'AAPL', price, size: 1, eventTimeMs: 1, ingestTimeMs: 2, seq: 1, source: 'test', position: 1 }),
  ],
  skipped: 0,
})

function connect(url: string, tls?: ConnectionOptions) {
  const logged: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk))
      done()
    },
  })
  const metrics = openMetrics()
  return {
    pubsub: new RedisPubSub({ url, tls, prefix: 'test', metrics, log: openLog('debug', sink) }),
    metrics,
    logged,
  }
}

const unavailable = (port: number) => ({
  code: 'PUBSUB_UNAVAILABLE',
  message: expect.stringContaining(`Redis at 127.0.0.1:${port} cannot be reached`),
})

/** How long the call took to reject, and with what. */
async function rejection(call: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedMs = performance.now()
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { error, tookMs: performance.now() - startedMs }
}

/** Publishes until it is heard: both directions work again. */
const heardAgain = (pubsub: RedisPubSub, prices: unknown[], price: number) =>
  expect
    .poll(async () => {
      await pubsub.publish('tick', 'AAPL', update(price)).catch(() => {})
      return prices.includes(price)
    }, RECOVERY)
    .toBe(true)

const told = process.env.REDIS_URL !== undefined || process.env.REDIS_SERVER_BIN !== undefined

describe.runIf(told)('PubSub while Redis comes and goes', () => {
  test('after a restart of Redis, publishing and every listener work again', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    const { pubsub, metrics } = connect(redis.url)
    await using _ = pubsub
    const prices: unknown[] = []
    const others: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    for (let key = 0; key < 2_500; key++) await pubsub.subscribe('tick', `SYM${key}`, () => others.push(key))
    await pubsub.publish('tick', 'AAPL', update(1))
    await expect.poll(() => prices).toEqual([1])

    await redis.kill()
    await expect.poll(async () => (await rejection(pubsub.ping())).error).toMatchObject(unavailable(redis.port))
    const { error, tookMs } = await rejection(pubsub.publish('tick', 'AAPL', update(2)))
    expect(error).toMatchObject(unavailable(redis.port))
    expect(tookMs).toBeLessThan(100)

    await redis.start()
    await expect.poll(async () => (await rejection(pubsub.ping())).error, RECOVERY).toBeUndefined()
    await pubsub.publish('tick', 'AAPL', update(3))
    await pubsub.publish('tick', 'SYM2499', update(3))
    await expect.poll(() => prices).toEqual([1, 3])
    await expect.poll(() => others).toEqual([2_499])
    expect(await metrics.pubsubReconnects.get()).toMatchObject({ values: [{ value: 1 }, { value: 1 }] })
    expect(await metrics.pubsubPublishFailures.get()).toMatchObject({ values: [{ value: 1 }] })
  })

  test('a publish that was under way when Redis died is rejected, not forgotten', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    await pubsub.ping()
    redis.freeze()
    const publishing = rejection(pubsub.publish('tick', 'AAPL', update(1)))
    await redis.kill()
    const { error, tookMs } = await publishing
    expect(error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE' })
    expect(tookMs).toBeLessThan(1_000)
  })

  test('a Redis that keeps its sockets open and answers nothing is away, too', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    const prices: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    redis.freeze()
    const first = await rejection(pubsub.publish('tick', 'AAPL', update(1)))
    expect(first.error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE' })
    expect(first.tookMs).toBeLessThan(4_000)
    const second = await rejection(pubsub.publish('tick', 'AAPL', update(2)))
    expect(second.error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE' })
    expect(second.tookMs).toBeLessThan(100)
    redis.thaw()
    await heardAgain(pubsub, prices, 3)
  })

  test('more events at once than go in one command arrive all, in their order', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    const prices: number[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }) => prices.push(ticks[0].price))
    const published = Array.from({ length: 1_777 }, (_, i) => i + 1)
    await Promise.all(published.map((price) => pubsub.publish('tick', 'AAPL', update(price))))
    await expect.poll(() => prices.length, RECOVERY).toBe(published.length)
    expect(prices).toEqual(published)
  })

  test('what was handed over before the end is still published', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using listener = connect(redis.url).pubsub
    const prices: number[] = []
    await listener.subscribe('tick', 'AAPL', ({ ticks }) => prices.push(ticks[0].price))
    const { pubsub } = connect(redis.url)
    await pubsub.ping()
    const publishing = rejection(pubsub.publish('tick', 'AAPL', update(1)))
    await pubsub[Symbol.asyncDispose]()
    expect((await publishing).error).toBeUndefined()
    await expect.poll(() => prices, RECOVERY).toEqual([1])
  })

  test('a Redis whose scripts were flushed is told so by one publish, and has them again for the next', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    const prices: number[] = []
    await pubsub.subscribe('tick', 'AAPL', ({ ticks }) => prices.push(ticks[0].price))
    await pubsub.publish('tick', 'AAPL', update(1))
    const administrator = new Redis(redis.url)
    await administrator.script('FLUSH')
    administrator.disconnect()
    const { error } = await rejection(pubsub.publish('tick', 'AAPL', update(2)))
    expect(error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE', message: expect.stringContaining('NOSCRIPT') })
    await heardAgain(pubsub, prices, 3)
  })

  test('a frozen Redis cannot make us keep events without end', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    await pubsub.ping()
    redis.freeze()
    const [first] = update(1).ticks
    const large = { ticks: [{ ...first, source: 'x'.repeat(10_000_000) }], skipped: 0 }
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => pubsub.publish('tick', 'AAPL', large)))
    const reasons = all.map((one) => (one.status === 'rejected' ? String(one.reason.message) : ''))
    expect(reasons.filter((why) => why.includes('too slow'))).toHaveLength(4)
    redis.thaw()
    await expect
      .poll(async () => (await rejection(pubsub.publish('tick', 'AAPL', large))).error, RECOVERY)
      .toBeUndefined()
  })

  test('a silent subscriber connection is noticed without anybody publishing', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    const { pubsub, logged } = connect(redis.url)
    await using _ = pubsub
    await pubsub.subscribe('tick', 'AAPL', () => {})
    redis.freeze()
    await expect.poll(() => logged.filter((line) => line.includes('is away')).length, RECOVERY).toBe(2)
    redis.thaw()
    await expect.poll(() => logged.filter((line) => line.includes('is back')).length, RECOVERY).toBe(2)
  })

  test('a Redis that is not there at the start is said with host and port, and used when it comes', async () => {
    await using redis = await RedisServer.on()
    await using pubsub = connect(redis.url).pubsub
    const calls = [
      pubsub.ping(),
      pubsub.publish('tick', 'AAPL', update(1)),
      pubsub.subscribe('tick', 'AAPL', () => {}),
      listen(pubsub, [{ channel: 'tick', key: 'AAPL' }], { keep: 'all', limit: 1 }),
    ]
    for (const { error } of await Promise.all(calls.map(rejection)))
      expect(error).toMatchObject(unavailable(redis.port))
    await redis.start()
    await expect.poll(async () => (await rejection(pubsub.ping())).error, RECOVERY).toBeUndefined()
    const prices: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    await pubsub.publish('tick', 'AAPL', update(5))
    await expect.poll(() => prices).toEqual([5])
  })

  test('who subscribes while Redis is away hears as soon as it is back', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    await pubsub.ping()
    await redis.kill()
    await expect.poll(async () => (await rejection(pubsub.ping())).error).toBeDefined()
    const prices: unknown[] = []
    const subscribing = pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    await redis.start()
    await subscribing
    await heardAgain(pubsub, prices, 7)
  })

  test('who left while Redis was away is not subscribed again', async () => {
    await using redis = await RedisServer.on()
    await redis.start()
    await using pubsub = connect(redis.url).pubsub
    const prices: unknown[] = []
    const leave = await pubsub.subscribe('tick', 'MSFT', () => {})
    await pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    await redis.kill()
    await leave()
    await redis.start()
    await heardAgain(pubsub, prices, 8)
    const admin = new Redis(redis.url)
    expect(await admin.pubsub('NUMSUB', 'test:tick:AAPL', 'test:tick:MSFT')).toEqual([
      'test:tick:AAPL',
      1,
      'test:tick:MSFT',
      0,
    ])
    await admin.quit()
  })

  test('closing while Redis is away ends at once', async () => {
    await using redis = await RedisServer.on()
    const { pubsub } = connect(redis.url)
    const reader = rejection(pubsub.subscribe('tick', 'AAPL', () => {}))
    const startedMs = performance.now()
    await pubsub[Symbol.asyncDispose]()
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    const { error, tookMs } = await reader
    expect(error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE' })
    expect(tookMs).toBeLessThan(1_000)
  })

  test('a password in the address opens the door', async () => {
    await using redis = await RedisServer.on(undefined, ['--requirepass', 'p@ss word'])
    await redis.start()
    await using pubsub = connect(`redis://:${encodeURIComponent('p@ss word')}@127.0.0.1:${redis.port}`).pubsub
    await pubsub.ping()
  })

  test('a wrong password is said, and neither it nor the right one is shown or logged', async () => {
    await using redis = await RedisServer.on(undefined, ['--requirepass', 'hunter2'])
    await redis.start()
    const { pubsub, logged } = connect(`redis://:hunter3@127.0.0.1:${redis.port}`)
    await using _ = pubsub
    const { error } = await rejection(pubsub.publish('tick', 'AAPL', update(1)))
    expect(error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE', message: expect.stringContaining('WRONGPASS') })
    expect(logged.join('')).toContain('WRONGPASS')
    const shown = logged.join('') + String(error) + JSON.stringify(error)
    expect(shown).not.toMatch(/hunter[23]/)
  })

  test('over TLS a certificate that nobody vouches for is refused, and one that is trusted is taken', async () => {
    await using certificate = selfSigned()
    const { cert, key } = certificate
    await using redis = await RedisServer.overTls({ cert, key })
    await redis.start()
    const url = `rediss://127.0.0.1:${redis.port}`
    await using stranger = connect(url).pubsub
    const { error } = await rejection(stranger.ping())
    expect(error).toMatchObject({ code: 'PUBSUB_UNAVAILABLE', message: expect.stringContaining('self-signed') })
    await using pubsub = connect(url, { ca: readFileSync(cert) }).pubsub
    await pubsub.ping()
  })

  test('a channel that Redis refuses is an error of that subscription alone, also after a restart', async () => {
    const user = 'app on nopass +@all resetchannels &test:tick:AAPL'
    await using redis = await RedisServer.on(undefined, ['--user', ...user.split(' ')])
    await redis.start()
    await using pubsub = connect(`redis://app:any@127.0.0.1:${redis.port}`).pubsub
    const prices: unknown[] = []
    await pubsub.subscribe('tick', 'AAPL', (event) => prices.push(event.ticks[0]?.price))
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(pubsub.subscribe('tick', 'MSFT', () => {})).rejects.toMatchObject({
        code: 'PUBSUB_UNAVAILABLE',
        message: expect.stringContaining('NOPERM'),
      })
    await heardAgain(pubsub, prices, 4)
    await redis.kill()
    await redis.start()
    await heardAgain(pubsub, prices, 5)
  })

  test.each([['127.0.0.1:6379'], ['http://:secret@host:6379'], ['redis://'], ['']])(
    '%j is not the address of a Redis',
    (url) => {
      expect(() => connect(url)).toThrow(/must be redis:\/\/host:port/)
      expect(() => connect(url)).not.toThrow(/secret/)
    },
  )
})
