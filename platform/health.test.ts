import { once } from 'node:events'
import { createConnection } from 'node:net'
import { expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import { ManualClock } from './clock.ts'
import { CHECK_TIMEOUT_MS, Health, READY_MAX_AGE_MS, startOpsServer } from './health.ts'
import { silentLog } from './log.ts'
import { openMetrics } from './metrics.ts'

const health = (clock = new ManualClock()) => new Health({ log: silentLog, clock })
const away = () =>
  Promise.reject(new PlatformError('STORE_UNAVAILABLE', 'Cannot reach postgres://app:hunter2@db:5432/x'))

test('ready while every dependency answers', async () => {
  const subject = health()
  subject.addCheck('bus', async () => {})
  expect(await subject.ready()).toEqual({ ok: true, status: 'ready', checks: { bus: { ok: true } } })
})

test('not ready while one dependency is away, with its sentence', async () => {
  const subject = health()
  subject.addCheck('bus', async () => {})
  subject.addCheck('store', away)
  const { ok, checks } = await subject.ready()
  expect(ok).toBe(false)
  expect(checks.bus).toEqual({ ok: true })
  expect(checks.store).toEqual({ ok: false, reason: 'Cannot reach postgres://…@db:5432/x' })
})

test('an error that is not one of our sentences is not shown', async () => {
  const subject = health()
  subject.addCheck('store', () => Promise.reject(new Error('password hunter2 refused')))
  expect(JSON.stringify(await subject.ready())).not.toContain('hunter2')
})

test('a dependency that does not answer in time is not ready', async () => {
  const clock = new ManualClock()
  const subject = health(clock)
  subject.addCheck('bus', () => new Promise(() => {}))
  const asked = subject.ready()
  await clock.advance(CHECK_TIMEOUT_MS)
  expect((await asked).checks.bus?.ok).toBe(false)
})

test('a check that hangs is not started a second time', async () => {
  const clock = new ManualClock()
  const subject = health(clock)
  const hanging = Promise.withResolvers<void>()
  let started = 0
  subject.addCheck('bus', () => {
    started++
    return hanging.promise
  })
  for (let probe = 0; probe < 3; probe++) {
    const asked = subject.ready()
    await clock.advance(CHECK_TIMEOUT_MS + READY_MAX_AGE_MS)
    expect((await asked).ok).toBe(false)
  }
  expect(started).toBe(1)
  hanging.resolve()
  await hanging.promise
  expect((await subject.ready()).ok).toBe(true)
})

test('many probes ask a dependency once', async () => {
  const clock = new ManualClock()
  const subject = health(clock)
  let asked = 0
  subject.addCheck('bus', async () => {
    asked++
  })
  await Promise.all(Array.from({ length: 100 }, () => subject.ready()))
  for (let probe = 0; probe < 100; probe++) await subject.ready()
  expect(asked).toBe(1)
  await clock.advance(READY_MAX_AGE_MS)
  await subject.ready()
  expect(asked).toBe(2)
})

test('two checks of one name are refused', () => {
  const subject = health()
  subject.addCheck('bus', async () => {})
  expect(() => subject.addCheck('bus', async () => {})).toThrow('already a check named bus')
})

async function served() {
  const subject = health()
  const metrics = openMetrics()
  const server = await startOpsServer({ port: 0, host: '127.0.0.1', health: subject, metrics })
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
    return { code: response.status, type: response.headers.get('content-type'), body: await response.text() }
  }
  return { subject, metrics, server, get }
}

test('/live answers 200 also while a dependency is away', async () => {
  const { subject, server, get } = await served()
  await using _ = server
  subject.addCheck('store', away)
  expect(await get('/live')).toMatchObject({ code: 200, body: '{"status":"live"}\n' })
  expect(await get('/ready?verbose')).toMatchObject({ code: 503, type: 'application/json' })
})

test('/ready answers 503 from the moment draining starts', async () => {
  const { subject, server, get } = await served()
  await using _ = server
  subject.addCheck('bus', async () => {})
  expect(await get('/ready')).toMatchObject({ code: 200, body: '{"status":"ready","checks":{"bus":{"ok":true}}}\n' })
  subject.startDraining()
  expect(await get('/ready')).toMatchObject({ code: 503, body: '{"status":"draining","checks":{}}\n' })
})

test('/metrics answers in the Prometheus text format', async () => {
  const { metrics, server, get } = await served()
  await using _ = server
  metrics.pubsubPublished.inc({ channel: 'tick' }, 3)
  const { code, type, body } = await get('/metrics')
  expect(code).toBe(200)
  expect(type).toContain('text/plain; version=0.0.4')
  expect(body).toContain('pubsub_published_total{channel="tick"} 3')
})

test('every other path is 404 and every other method 405', async () => {
  const { server, get } = await served()
  await using _ = server
  expect((await get('/')).code).toBe(404)
  expect((await get('/constructor')).code).toBe(404)
  expect((await get('/ready', { method: 'POST' })).code).toBe(405)
  expect(await get('/ready', { method: 'HEAD' })).toMatchObject({ code: 200, body: '' })
})

test('a client in the middle of a request does not hold up the stop', async () => {
  const { server } = await served()
  const socket = createConnection(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => socket.destroy())
  socket.write('GET /live HTTP/1.1\r\nhost:')
  await fetch(`http://127.0.0.1:${server.port}/live`)
  const closed = once(socket, 'close')
  await server[Symbol.asyncDispose]()
  await closed
})

test('a port that is taken is said with its address', async () => {
  const { subject, metrics, server } = await served()
  await using _ = server
  await expect(
    startOpsServer({ port: server.port, host: '127.0.0.1', health: subject, metrics }),
  ).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: `The operations endpoints cannot listen on 127.0.0.1:${server.port}: the port is taken, set PORT to another one`,
  })
})
