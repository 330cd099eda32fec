import type { Admin } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { KafkaAdmin } from './kafka-admin.ts'

const never = () => new Promise<never>(() => undefined)

/** Clients that answer as the test says, the first as the first and so on; every one hangs where it is to disconnect. */
function openAdmin(...clients: { connect?: () => Promise<void>; listTopics?: () => Promise<string[]> }[]) {
  const metrics = openMetrics()
  let made = 0
  const admin = new KafkaAdmin({
    client: () => {
      const own = [`of client ${made}`]
      const { connect = async () => undefined, listTopics = async () => own } = clients[made++] ?? {}
      return { connect, listTopics, disconnect: never } as unknown as Admin
    },
    answerTimeoutMs: 20_000,
    closeTimeoutMs: 1_000,
    log: silentLog,
    metrics,
  })
  return {
    admin,
    ask: () => admin.ask((client) => client.listTopics()),
    clients: () => made,
    restarts: async () => (await metrics.busAdminRestarts.get()).values[0]?.value,
  }
}

describe('a question to Kafka', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('goes to one client, which connects once', async () => {
    const { ask, clients, restarts } = openAdmin()
    expect(await Promise.all([ask(), ask()])).toEqual([['of client 0'], ['of client 0']])
    expect(await ask()).toEqual(['of client 0'])
    expect(clients()).toBe(1)
    expect(await restarts()).toBe(0)
  })

  test.each([
    ['the answer', { listTopics: never }],
    ['the connection', { connect: never }],
  ])('is given up where %s never comes, and the next goes to another client', async (_what, hung) => {
    const { ask, clients, restarts } = openAdmin(hung)
    const asked = Promise.allSettled([ask(), ask()])
    await vi.advanceTimersByTimeAsync(20_000)
    const reason = new Error('no answer within 20000 ms')
    expect(await asked).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    expect(await ask()).toEqual(['of client 1'])
    expect(clients()).toBe(2)
    expect(await restarts()).toBe(1)
  })

  test('that is refused stays with its client', async () => {
    const { ask, clients } = openAdmin({ listTopics: () => Promise.reject(new Error('away')) })
    await expect(ask()).rejects.toThrow('away')
    await expect(ask()).rejects.toThrow('away')
    expect(clients()).toBe(1)
  })

  test('connects again where no broker could be reached', async () => {
    const { ask } = openAdmin({ connect: () => Promise.reject(new Error('away')) })
    await expect(ask()).rejects.toThrow('away')
    expect(await ask()).toEqual(['of client 1'])
  })

  test('does not keep the end waiting, and is not asked after it', async () => {
    const { admin, ask, clients } = openAdmin()
    await ask()
    const closed = admin.close()
    await vi.advanceTimersByTimeAsync(1_000)
    await closed
    await expect(ask()).rejects.toThrow('it was closed')
    expect(clients()).toBe(1)
  })
})
