import { expect, test, vi } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import { ManualClock } from '../platform/clock.ts'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import type { Source } from './source.ts'
import { SourceStatuses } from './source-status.ts'
import { supervise } from './supervisor.ts'
import { VendorError } from './vendor-error.ts'

const idle: Source = { name: 'vendor', async *read() {} }

/** A source whose every run ends as the next of `runs` does; the last goes on until it is stopped. */
function world(runs: readonly (() => Promise<void>)[]) {
  const clock = new ManualClock(0)
  const statuses = new SourceStatuses(clock)
  const stop = new AbortController()
  const release = vi.fn(async () => {})
  let started = 0
  const ended = supervise({
    name: 'vendor',
    open: () => idle,
    ingest: async () => {
      const run = runs[started++]
      if (run) await run()
      else await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
      return { read: 0, produced: 0, rejected: 0, elapsedMs: 0, resumedFrom: undefined }
    },
    lock: async () => ({ [Symbol.asyncDispose]: release }),
    statuses,
    clock,
    log: silentLog,
    metrics: openMetrics(),
    signal: stop.signal,
  })
  return { clock, stop, ended, release, status: () => statuses.all()[0], started: () => started }
}

const fails = (error: Error) => async () => {
  throw error
}

test('a source that breaks off is started again, later each time, and its lock is given back meanwhile', async () => {
  const away = new VendorError('VENDOR_UNAVAILABLE', 'it is away')
  const here = world([fails(away), fails(away)])
  await vi.waitFor(() => expect(here.status()).toMatchObject({ state: 'restarting', reason: 'it is away' }))
  expect(here.release).toHaveBeenCalledTimes(1)
  await here.clock.advance(1_000)
  await vi.waitFor(() => expect(here.started()).toBe(2))
  await here.clock.advance(2_000)
  await vi.waitFor(() => expect(here.status().state).toBe('reading'))
  here.stop.abort()
  await here.ended
})

test('a bug in a source is kept to that source, and its text to the log', async () => {
  const here = world([fails(new TypeError('x is not a function'))])
  await vi.waitFor(() => expect(here.status().state).toBe('restarting'))
  expect(here.status().reason).not.toContain('not a function')
  await here.clock.advance(1_000)
  await vi.waitFor(() => expect(here.status().state).toBe('reading'))
  here.stop.abort()
  await here.ended
})

test('a vendor that has refused us is not asked again: a person has to decide', async () => {
  const here = world([fails(new VendorError('VENDOR_REFUSED', 'the key was withdrawn', { ofKey: true }))])
  await here.ended
  expect(here.status()).toMatchObject({ state: 'refused', reason: 'the key was withdrawn' })
  await here.clock.advance(3_600_000)
  expect(here.started()).toBe(1)
})

test('where another process reads it, it waits for its turn', async () => {
  const here = world([fails(new PlatformError('LIMIT_EXCEEDED', 'another process reads it'))])
  await vi.waitFor(() =>
    expect(here.status()).toMatchObject({
      state: 'restarting',
      reason: 'another process reads it',
      isReadElsewhere: true,
    }),
  )
  here.stop.abort()
  await here.ended
})
