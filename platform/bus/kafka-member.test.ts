import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import { ScriptedConsumer } from '../../tests/support/scripted-consumer.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openMetrics } from '../metrics.ts'
import { KafkaMember } from './kafka-member.ts'

function openMember({ connect = async () => undefined }: { connect?: () => Promise<void> } = {}) {
  const clients: ScriptedConsumer[] = []
  const told: string[] = []
  const metrics = openMetrics()
  const member = new KafkaMember({
    group: 'bars',
    topic: 'ticks',
    connection: { brokers: ['kafka:9092'], clientId: 'test' },
    partitionsAtOnceMax: 1,
    silenceMs: 30_000,
    closeTimeoutMs: 1_000,
    clock: systemClock,
    log: silentLog,
    metrics,
    client: () => {
      const scripted = new ScriptedConsumer(connect)
      clients.push(scripted)
      return scripted.client
    },
    onAssigned: (partitions) => told.push(`assigned ${partitions}`),
    onRevoked: () => told.push('revoked'),
    eachBatch: async (payload) => void told.push(`batch ${payload}`),
  })
  const held = member.hold()
  held.catch(() => undefined)
  return {
    member,
    held,
    clients,
    told,
    restarts: async () => (await metrics.busConsumerRestarts.get()).values[0]?.value,
  }
}

describe('a place in a consumer group', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000)

  test('goes to a new client when the one that has it ends', async () => {
    const { clients, told, restarts } = openMember()
    await seconds(0)
    clients[0].joins([0, 1])
    clients[0].tells('CRASH', { error: new Error('Failed to find group coordinator') })
    await seconds(1)
    clients[1].joins([0])
    expect(told).toEqual(['assigned 0,1', 'revoked', 'assigned 0'])
    expect(await restarts()).toBe(1)
  })

  test('goes to a new client when the one that has it is silent, even if that one never ends', async () => {
    const { clients, told } = openMember()
    await seconds(0)
    clients[0].joins([0])
    await seconds(32)
    expect(clients).toHaveLength(2)
    expect(clients[0].disconnects).toBe(1)
    clients[1].joins([0])
    expect(told).toEqual(['assigned 0', 'revoked', 'assigned 0'])
  })

  test('goes to a new client when the group no longer answers the one that reads', async () => {
    const { clients, told } = openMember()
    await seconds(0)
    clients[0].joins([0])
    // One that has forgotten who it is reads on, and sends no heartbeat any more.
    for (let second = 0; second < 32; second++) {
      clients[0].tells('FETCH_START')
      clients[0].tells('REQUEST')
      await seconds(1)
    }
    expect(clients).toHaveLength(2)
    expect(told).toEqual(['assigned 0', 'revoked'])
  })

  test.each(['REQUEST', 'REQUEST_TIMEOUT'] as const)(
    'stays with a client that goes on asking until it has joined: %s',
    async (event) => {
      const { clients, told } = openMember()
      const asksFor = async (twenties: number) => {
        for (let i = 0; i < twenties; i++) {
          await seconds(20)
          clients[0].tells(event)
        }
      }
      await asksFor(5)
      clients[0].joins([0])
      clients[0].tells('REBALANCING')
      await asksFor(5)
      clients[0].joins([1])
      expect(clients).toHaveLength(1)
      expect(told).toEqual(['assigned 0', 'revoked', 'assigned 1'])
    },
  )

  test.each(['HEARTBEAT', 'GROUP_JOIN'] as const)('stays with a client that the group answers: %s', async (event) => {
    const { clients, told } = openMember()
    await seconds(0)
    for (let i = 0; i < 10; i++) {
      clients[0].tells(event, { memberAssignment: { ticks: [0] } })
      await seconds(20)
    }
    expect(clients).toHaveLength(1)
    expect(told).not.toContain('revoked')
  })

  test('goes to a new client when the one that lost it reads on without having joined again', async () => {
    const { clients, told, restarts } = openMember()
    await seconds(0)
    clients[0].joins([0])
    clients[0].tells('FETCH_START')
    clients[0].tells('REBALANCING')
    // The coordinator was still loading, and has known the member all the same since.
    clients[0].tells('FETCH_START')
    clients[0].tells('HEARTBEAT')
    await seconds(1)
    clients[1].joins([0])
    expect(told).toEqual(['assigned 0', 'revoked', 'revoked', 'assigned 0'])
    expect(await restarts()).toBe(1)
  })

  test('stays with a client that reads on once it has joined again', async () => {
    const { clients, told } = openMember()
    await seconds(0)
    clients[0].joins([0, 1])
    clients[0].tells('REBALANCING')
    clients[0].joins([1])
    clients[0].tells('FETCH_START')
    await seconds(1)
    expect(clients).toHaveLength(1)
    expect(told).toEqual(['assigned 0,1', 'revoked', 'assigned 1'])
  })

  test('is not shared with a client that was left: one that gets in is thrown out, and what it brings is nobody’s', async () => {
    const { clients, told } = openMember()
    await seconds(32)
    clients[1].joins([0])
    expect(() => clients[0].joins([1])).toThrow('this client was left for another one')
    await clients[0].eachBatch('late')
    clients[0].tells('STOP')
    await clients[1].eachBatch('first')
    expect(told).toEqual(['revoked', 'assigned 0', 'batch first'])
  })

  test('is not asked for by a client that was left while it connected', async () => {
    const { clients, told } = openMember({ connect: () => new Promise((resolve) => setTimeout(resolve, 40_000)) })
    await seconds(41)
    expect(clients).toHaveLength(2)
    expect(clients[0].runs).toBe(0)
    expect(told).toEqual(['revoked'])
  })

  test('is lost before a client that stops takes no seek any more', async () => {
    const { clients, told } = openMember()
    await seconds(0)
    clients[0].joins([0])
    clients[0].tells('STOP')
    expect(told).toEqual(['assigned 0', 'revoked'])
  })

  test('is given up where the broker refuses for good', async () => {
    const { clients, held } = openMember()
    await seconds(0)
    const refusal = Object.assign(new Error('not allowed'), { type: 'GROUP_AUTHORIZATION_FAILED', retriable: false })
    clients[0].tells('CRASH', { error: refusal })
    await expect(held).rejects.toThrow(PlatformError)
    expect(clients).toHaveLength(1)
  })

  test('is tried for again soon at first, and every two seconds at length', async () => {
    const { clients } = openMember()
    const triedAfter = async (count: number) => {
      const before = clients.length
      for (let tenths = 0; tenths < count * 10; tenths++) {
        clients.at(-1)?.tells('CRASH', { error: new Error('away') })
        await seconds(0.1)
      }
      return clients.length - before
    }
    expect(await triedAfter(4)).toBeGreaterThanOrEqual(4)
    expect(await triedAfter(20)).toBe(10)
  })

  test('ends when it is closed, whatever the client does', async () => {
    const { clients, member, held } = openMember()
    await seconds(0)
    clients[0].joins([0])
    const closed = member.close()
    await seconds(1)
    await closed
    await held
    expect(clients).toHaveLength(1)
    expect(clients[0].disconnects).toBe(1)
  })
})
