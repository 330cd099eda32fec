import { expect, test, vi } from 'vitest'
import type { Log } from '../log.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { type Backend, Hub } from './hub.ts'
import type { TickUpdate } from './pubsub.ts'

/** A backend whose answers the test gives, one by one, and which writes down what it was asked. */
class SlowBackend implements Backend {
  readonly asked: string[] = []
  readonly #answers: PromiseWithResolvers<void>[] = []

  join = (room: string) => this.#ask(`join ${room}`)
  leave = (room: string) => this.#ask(`leave ${room}`)

  /** Answers the oldest question that has none yet. */
  async answer(error?: Error): Promise<void> {
    await vi.waitFor(() => expect(this.#answers.length).toBeGreaterThan(0))
    const next = this.#answers.shift()
    if (error) next?.reject(error)
    else next?.resolve()
  }

  #ask(what: string): Promise<void> {
    this.asked.push(what)
    const answer = Promise.withResolvers<void>()
    this.#answers.push(answer)
    return answer.promise
  }
}

function open(log: Log = silentLog) {
  const backend = new SlowBackend()
  const metrics = openMetrics()
  return { backend, metrics, hub: new Hub(backend, { metrics, log }) }
}

const event: TickUpdate = { ticks: [], skipped: 0 }

test('all who come while the room is being joined share one join', async () => {
  const { backend, hub } = open()
  const coming = Promise.all([1, 2, 3].map(() => hub.subscribe('tick', 'AAPL', () => {})))
  await backend.answer()
  await coming
  await hub.subscribe('tick', 'AAPL', () => {})
  expect(backend.asked).toEqual(['join tick:AAPL'])
})

test('the room is left with its last listener', async () => {
  const { backend, hub } = open()
  const coming = Promise.all([1, 2].map(() => hub.subscribe('tick', 'AAPL', () => {})))
  await backend.answer()
  const [first, second] = await coming
  await first?.()
  await first?.()
  expect(backend.asked).toEqual(['join tick:AAPL'])
  const leaving = second?.()
  await backend.answer()
  await leaving
  expect(backend.asked).toEqual(['join tick:AAPL', 'leave tick:AAPL'])
})

test('a room is not joined again before leaving it is done', async () => {
  const { backend, hub } = open()
  const first = hub.subscribe('tick', 'AAPL', () => {})
  await backend.answer()
  const leaving = (await first)()
  const again = hub.subscribe('tick', 'AAPL', () => {})
  expect(backend.asked).toEqual(['join tick:AAPL', 'leave tick:AAPL'])
  await backend.answer()
  await leaving
  await backend.answer()
  await again
  expect(backend.asked).toEqual(['join tick:AAPL', 'leave tick:AAPL', 'join tick:AAPL'])
})

test('leaving twice does not take away the one who came after', async () => {
  const { backend, hub } = open()
  const first = hub.subscribe('tick', 'AAPL', () => {})
  await backend.answer()
  const leave = await first
  const leaving = leave()
  await backend.answer()
  await leaving
  const heard = vi.fn()
  const again = hub.subscribe('tick', 'AAPL', heard)
  await backend.answer()
  await again
  await leave()
  hub.deliver('tick:AAPL', event)
  expect(heard).toHaveBeenCalledOnce()
})

test('a join that fails fails everybody who waited for it, and the next one tries anew', async () => {
  const { backend, metrics, hub } = open()
  const coming = Promise.allSettled([1, 2].map(() => hub.subscribe('tick', 'AAPL', () => {})))
  await backend.answer(new Error('away'))
  expect((await coming).map((one) => one.status)).toEqual(['rejected', 'rejected'])
  const next = hub.subscribe('tick', 'AAPL', () => {})
  await backend.answer()
  await next
  expect(backend.asked).toEqual(['join tick:AAPL', 'join tick:AAPL'])
  expect(await metrics.pubsubListeners.get()).toMatchObject({ values: [{ value: 1 }] })
})

test('closing while a room is being joined refuses who waits for it', async () => {
  const { backend, metrics, hub } = open()
  const closed = vi.fn()
  const coming = expect(hub.subscribe('tick', 'AAPL', () => {}, closed)).rejects.toThrow('closed')
  await vi.waitFor(() => expect(backend.asked).toHaveLength(1))
  hub.close()
  await backend.answer()
  await coming
  expect(closed).toHaveBeenCalledOnce()
  expect(await metrics.pubsubListeners.get()).toMatchObject({ values: [{ value: 0 }] })
})

test('a listener that leaves while an event is told does not hear it any more', async () => {
  const { backend, hub } = open()
  const leaves: (() => Promise<void>)[] = []
  const heard = vi.fn()
  const coming = Promise.all([
    hub.subscribe('tick', 'AAPL', () => void leaves[1]?.()),
    hub.subscribe('tick', 'AAPL', heard),
  ])
  await backend.answer()
  leaves.push(...(await coming))
  hub.deliver('tick:AAPL', event)
  expect(heard).not.toHaveBeenCalled()
})

test('a listener that throws on every event does not fill the log', async () => {
  const warn = vi.fn()
  const { backend, metrics, hub } = open({ ...silentLog, warn } as unknown as Log)
  const coming = hub.subscribe('tick', 'AAPL', () => {
    throw new Error('mine')
  })
  await backend.answer()
  await coming
  for (let i = 0; i < 100; i++) hub.deliver('tick:AAPL', event)
  expect(warn).toHaveBeenCalledOnce()
  expect(await metrics.pubsubListenerFailures.get()).toMatchObject({ values: [{ value: 100 }] })
})
