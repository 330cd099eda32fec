import { rmSync } from 'node:fs'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../platform/clock.ts'
import { openLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { selfSigned } from '../../tests/support/certificate.ts'
import type { Fault, VendorAnswer } from '../../tests/support/vendors/faults.ts'
import { MemoryQuotas } from '../../tests/support/vendors/memory-quotas.ts'
import { type VendorQuestion, VendorServer } from '../../tests/support/vendors/vendor-server.ts'
import { JsonAnswer } from '../json-answer.ts'
import { KeyRing } from '../quota/key-ring.ts'
import type { QuotaWindow } from '../quota/quota.ts'
import { VendorError } from '../vendor-error.ts'
import { BODY_BYTES_MAX } from './one-request.ts'
import { openVendorHttp, type VendorHttpOptions } from './open-vendor-http.ts'
import type { VendorPolicy } from './policy.ts'

const KEY = 'k3y-that-nobody-may-see'
const never = new AbortController().signal
const plenty: readonly QuotaWindow[] = [{ kind: 'sliding', requests: 10_000, perMs: 1_000 }]
const quick: Partial<VendorPolicy> = { timeoutMs: 400, retryMsMin: 1, retryMsMax: 10 }

let server: VendorServer
let answer: (question: VendorQuestion) => VendorAnswer
let logged: string[]
beforeEach(async () => {
  logged = []
  answer = () => ({ body: { price: 1 } })
  server = await VendorServer.start({
    answer: (question) => answer(question),
    keyOf: ({ query }) => query.get('apikey') ?? undefined,
  })
})
afterEach(() => server[Symbol.asyncDispose]())

function open(options: Partial<VendorHttpOptions> = {}, windows = plenty, keys: readonly string[] = [KEY]) {
  const around = { clock: systemClock, log: openLog('trace', { write: (line) => void logged.push(line) }) }
  const metrics = openMetrics()
  const quota = new KeyRing({ name: 'vendor', keys, windows, store: new MemoryQuotas(), metrics, ...around })
  const http = openVendorHttp({
    vendor: 'vendor',
    title: 'The Vendor',
    baseUrl: server.url,
    userAgent: 'investor-updates-test',
    quota,
    sign: (key) => ({ query: { apikey: key }, headers: { 'x-api-key': key } }),
    policy: quick,
    metrics,
    ...around,
    ...options,
  })
  const ask = (path = '/quote', signal = never) =>
    http.get({ path }, ({ body }) => new JsonAnswer('The Vendor', body).value, signal)
  return { http, quota, metrics, ask }
}

const failureOf = async (asking: Promise<unknown>): Promise<VendorError> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof VendorError) return error
  throw new Error(`Expected a VendorError, was ${inspect(error)}`)
}

test('an answer is read, with the key where the vendor wants it', async () => {
  answer = ({ query, headers }) => ({
    body: { name: headers['user-agent'], isSigned: query.get('apikey') === KEY && headers['x-api-key'] === KEY },
  })
  expect(await open().ask()).toEqual({ name: 'investor-updates-test', isSigned: true })
})

const outages: [name: string, fault: Fault][] = [
  ['an error of the server', { kind: 'status', status: 500 }],
  ['an answer that is broken off', { kind: 'truncated' }],
  ['an outage page where JSON was promised', { kind: 'html' }],
  ['a connection that is reset', { kind: 'reset' }],
  ['no answer', { kind: 'hang' }],
  ['an answer that drips', { kind: 'drip', everyMs: 50 }],
]

test.each(outages)('%s is tried again', async (_name, fault) => {
  server.fail(fault, 2)
  expect(await open().ask()).toEqual({ price: 1 })
  expect(server.arrivals).toHaveLength(3)
})

test.each(outages)('%s again and again is that the vendor is away, after a few tries', async (_name, fault) => {
  server.fail(fault)
  expect(await failureOf(open().ask())).toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
  expect(server.arrivals).toHaveLength(3)
})

test.each([
  [400, 'VENDOR_ANSWER'],
  [401, 'VENDOR_REFUSED'],
  [403, 'VENDOR_REFUSED'],
  [404, 'VENDOR_UNKNOWN'],
  [429, 'VENDOR_LIMIT'],
])('status %i is not tried again, for it will not pass by itself', async (status, code) => {
  server.fail({ kind: 'status', status, body: 'why' })
  const error = await failureOf(open().ask())
  expect([error.code, error.original?.toString(), error.ofKey]).toEqual([code, 'why', status === 401])
  expect(server.arrivals).toHaveLength(1)
})

test("a vendor's own error form is asked before the status", async () => {
  server.fail({ kind: 'body', status: 400, body: '{"error_message":"The series does not exist."}' })
  const errorOf: VendorHttpOptions['errorOf'] = ({ body }) =>
    body.includes('does not exist') ? new VendorError('VENDOR_UNKNOWN', 'No such series') : undefined
  expect(await failureOf(open({ errorOf }).ask())).toMatchObject({ code: 'VENDOR_UNKNOWN' })
})

describe('Retry-After', () => {
  test('in seconds is when the vendor may be asked again', async () => {
    const { quota, ask } = open()
    server.fail({ kind: 'status', status: 429, retryAfter: '120' }, 1)
    const { retryAtMs = 0 } = await failureOf(ask())
    expect(Math.abs(retryAtMs - (Date.now() + 120_000))).toBeLessThan(5_000)
    expect(quota.freeAtMs(1, Date.now())).toBe(retryAtMs)
    expect(await failureOf(ask())).toMatchObject({ code: 'VENDOR_LIMIT', retryAtMs })
    expect(server.arrivals).toHaveLength(1)
  })

  test("as a date is read by the vendor's clock, not by ours", async () => {
    const theirNowMs = Date.now() + 7_200_000
    answer = () => ({
      status: 503,
      headers: { date: new Date(theirNowMs).toUTCString(), 'retry-after': new Date(theirNowMs + 90_000).toUTCString() },
      body: '',
    })
    const { code, retryAtMs = 0 } = await failureOf(open().ask())
    expect(code).toBe('VENDOR_LIMIT')
    expect(Math.abs(retryAtMs - (Date.now() + 90_000))).toBeLessThan(5_000)
  })

  test.each(['soon', '-5', '99999999999999999999'])('%s sends nobody away for ever', async (retryAfter) => {
    server.fail({ kind: 'status', status: 429, retryAfter })
    const { retryAtMs = 0 } = await failureOf(open().ask())
    expect(retryAtMs).toBeLessThanOrEqual(Date.now() + 86_400_000)
  })
})

describe('the budget', () => {
  test('pays for every try', async () => {
    const policy = { ...quick, failuresMax: 100 }
    const { quota, ask } = open({ policy }, [{ kind: 'day', requests: 5, timeZone: 'UTC' }])
    server.fail({ kind: 'status', status: 500 })
    await failureOf(ask())
    expect(quota.today(Date.now())?.left).toBe(2)
    expect(await failureOf(ask())).toMatchObject({ code: 'VENDOR_LIMIT' })
    expect(server.arrivals).toHaveLength(5)
  })

  test('pays for a redirect, which is followed at the same host only', async () => {
    answer = ({ path }) =>
      path === '/quote' ? { status: 302, headers: { location: '/moved' }, body: '' } : { body: { at: path } }
    const { quota, ask } = open({}, [{ kind: 'day', requests: 5, timeZone: 'UTC' }])
    expect(await ask()).toEqual({ at: '/moved' })
    expect(quota.today(Date.now())?.left).toBe(3)
    answer = () => ({ status: 302, headers: { location: 'http://localhost:9/quote' }, body: '' })
    const error = await failureOf(open({ policy: { ...quick, retriesMax: 0 } }).ask())
    expect(error.message).toContain('another host, localhost:9')
  })

  test('does not pay for a request that never reached the vendor', async () => {
    const { quota, ask } = open({ baseUrl: 'http://127.0.0.1:9' }, [{ kind: 'day', requests: 5, timeZone: 'UTC' }])
    expect((await failureOf(ask())).message).toContain('ECONNREFUSED')
    expect(quota.today(Date.now())?.left).toBe(5)
  })

  test('goes on with the other key where one is refused', async () => {
    const keys = ['first-key-1', 'second-key-2']
    answer = ({ query }) => (query.get('apikey') === keys[0] ? { status: 401, body: '' } : { body: { price: 2 } })
    const { quota, ask } = open({}, plenty, keys)
    const outcomes = await Promise.allSettled([ask(), ask()])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await ask()).toEqual({ price: 2 })
    expect(quota.usable).toBe(true)
  })
})

describe('the circuit breaker', () => {
  const policy = { ...quick, retriesMax: 0, failuresMax: 3, openMsMin: 150, openMsMax: 300 }

  test('leaves a vendor alone that fails again and again, and says when it asks again', async () => {
    const { http, ask, metrics } = open({ policy })
    server.fail({ kind: 'status', status: 500 })
    for (let i = 0; i < 3; i++) await failureOf(ask())
    expect(http.state).toBe('open')
    const error = await failureOf(ask())
    expect(server.arrivals).toHaveLength(3)
    expect(error.message).toContain('status 500')
    expect(error.retryAtMs).toBeGreaterThan(Date.now() - 300)
    expect(await metrics.registry.getSingleMetricAsString('vendor_breaker_open')).toContain('{vendor="vendor"} 1')
  })

  test('sends one probe, and lets everybody through when it is answered', async () => {
    const { http, ask } = open({ policy })
    server.fail({ kind: 'status', status: 500 })
    for (let i = 0; i < 3; i++) await failureOf(ask())
    const asked = async () => {
      await failureOf(ask())
      return server.arrivals.length
    }
    await expect.poll(asked).toBeGreaterThan(3)
    expect(http.state).toBe('open')
    server.mend()
    await expect.poll(() => ask().catch(() => undefined)).toEqual({ price: 1 })
    expect(http.state).toBe('closed')
  })

  test('does not open because of answers that are ours to mend', async () => {
    const { http, ask } = open({ policy })
    server.fail({ kind: 'status', status: 404 })
    for (let i = 0; i < 10; i++) await failureOf(ask())
    expect(http.state).toBe('closed')
  })
})

test('so many requests are under way at once, so many wait, and more are turned away', async () => {
  const { ask } = open({ policy: { ...quick, concurrencyMax: 2, queueMax: 3, retriesMax: 0, timeoutMs: 10_000 } })
  server.fail({ kind: 'hang' })
  const stop = new AbortController()
  const asking = Array.from({ length: 8 }, () => failureOf(ask('/quote', stop.signal)))
  await expect.poll(() => server.arrivals.length).toBe(2)
  const crowded = await Promise.race(asking)
  expect(crowded.message).toContain('5 requests wait for it already')
  stop.abort()
  await Promise.all(asking)
  expect(server.arrivals).toHaveLength(2)
})

test.each<[string, Fault]>([
  ['while it waits for an answer', { kind: 'hang' }],
  ['while it waits to try again', { kind: 'status', status: 500 }],
])('it ends at once when it is stopped %s', async (_when, fault) => {
  const { ask } = open({ policy: { timeoutMs: 60_000, retryMsMin: 30_000, retryMsMax: 60_000 } })
  server.fail(fault)
  const stop = new AbortController()
  const asking = failureOf(ask('/quote', stop.signal))
  await expect.poll(() => server.arrivals.length).toBe(1)
  const startedMs = performance.now()
  stop.abort()
  expect(await asking).toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
  expect(performance.now() - startedMs).toBeLessThan(500)
})

test('an answer without an end is not read to the end, however small it is on the wire', async () => {
  const bomb = gzipSync(Buffer.alloc(BODY_BYTES_MAX + 1_000_000))
  answer = () => ({ headers: { 'content-encoding': 'gzip' }, body: bomb })
  const error = await failureOf(open({ policy: { timeoutMs: 30_000 } }).ask())
  expect([error.code, error.message]).toEqual([
    'VENDOR_ANSWER',
    `The Vendor answered more than ${BODY_BYTES_MAX} bytes`,
  ])
})

test('a certificate that nobody trusts is said to be one', async () => {
  const certificate = selfSigned()
  await using tls = await VendorServer.start({ answer: () => ({ body: {} }), certificate })
  const error = await failureOf(open({ baseUrl: tls.url }).ask())
  rmSync(certificate.folder, { recursive: true, force: true })
  expect(error).toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
  expect(error.message).toContain('a certificate that is not to be trusted: DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(tls.arrivals).toHaveLength(0)
})

describe('a key is nowhere but in the request', () => {
  const everything = (error: unknown) => `${inspect(error, { depth: 20, showHidden: true })}${logged.join('')}`

  test.each<[string, Fault]>([
    ...outages,
    ['a vendor that repeats it', { kind: 'status', status: 403, body: `Your key ${KEY} may not` }],
    ['a vendor that repeats it in JSON that is none', { kind: 'body', body: `{"Note": "${KEY}"` }],
  ])('not after %s', async (_name, fault) => {
    server.fail(fault)
    const { ask } = open({ policy: { ...quick, failuresMax: 2 } })
    for (let i = 0; i < 3; i++) expect(everything(await failureOf(ask()))).not.toContain(KEY)
  })

  test('not when nobody is there', async () => {
    const { ask } = open({ baseUrl: 'http://127.0.0.1:9' })
    expect(everything(await failureOf(ask()))).not.toContain(KEY)
    expect(everything(await failureOf(ask('http://elsewhere.example/x')))).not.toContain(KEY)
  })

  test('not in an answer that repeats it', async () => {
    answer = () => ({ body: { note: `We have detected your API key as ${KEY}.` } })
    expect(await open().ask()).toEqual({ note: `We have detected your API key as ${'*'.repeat(KEY.length)}.` })
  })

  test('nor the id that belongs to it', async () => {
    answer = () => ({ body: { note: 'No account PK-1234567 of yours' } })
    expect(await open({ hidden: ['PK-1234567'] }).ask()).toEqual({ note: 'No account ********** of yours' })
  })
})
