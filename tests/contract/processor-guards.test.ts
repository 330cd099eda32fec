import { afterEach, describe, expect, test } from 'vitest'
import type { Guards } from '../../processors/options.ts'
import { HandBus, type HandConsumer } from '../support/hand-bus.ts'
import { openProcessing, type Processing, print } from '../support/processing.ts'

// The moments that each guard is for, one by one. Every one also runs with its guard removed, and must then go wrong: else
// it would prove nothing about the guard.

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 10 })

let processing: Processing
afterEach(async () => {
  await processing[Symbol.asyncDispose]()
})

async function members(
  count: number,
  processor: 'ticks' | 'bars',
  guards: Partial<Guards> = {},
): Promise<HandConsumer[]> {
  const bus = new HandBus()
  processing = await openProcessing({ openBus: async () => bus, prefix: '' })
  for (let i = 0; i < count; i++) await processing.start([processor], { guards, lanes: 1, orphanedAfterMs: 60_000 })
  await processing.produce(...Array.from({ length: 30 }, (_, position) => print({ position })))
  return bus.members
}

const trades = () => processing.select('SELECT trades::int FROM bars_1m')
const rows = () => processing.select('SELECT count(*)::int FROM stock_data')
const at = (app: string) => processing.select('SELECT next_offset::int FROM stream_checkpoint WHERE app = $1', app)

/** As after a crash of the database with synchronous_commit = off: what came after the offset was never there. */
async function loseCommitsAfter(offset: number): Promise<void> {
  await processing.select('DELETE FROM stock_data WHERE seq >= $1', offset)
  await processing.select(
    `UPDATE stream_checkpoint SET next_offset = $1::bigint,
       sources = jsonb_set(sources, '{test,position}', to_jsonb($1::bigint - 1))`,
    offset,
  )
}

describe.each<{ guards: Partial<Guards>; stored: number }>([
  { guards: {}, stored: 15 },
  { guards: { compareAndSet: false }, stored: 10 },
  { guards: { position: false }, stored: 5 },
])('After the database lost five rows it had confirmed, with guards %j', ({ guards, stored }) => {
  test(`${stored} of 15 rows are there in the end`, async () => {
    const [member] = await members(1, 'ticks', guards)
    await member.assign()
    await member.deliver(10)
    await eventually(rows).toEqual([10])
    await loseCommitsAfter(5)
    await member.deliver(15)
    if (guards.compareAndSet !== false) {
      await eventually(() => member.repositions).toBe(1)
      await member.deliver(15)
    }
    await eventually(() => at('ticks')).toEqual([15])
    expect(await rows()).toEqual([stored])
  })
})

describe.each<{ guards: Partial<Guards>; counted: number }>([
  { guards: {}, counted: 10 },
  { guards: { compareAndSet: false }, counted: 10 },
  { guards: { epoch: false }, counted: 10 },
  { guards: { compareAndSet: false, epoch: false }, counted: 8 },
])('When a frozen member wakes up and writes what another has done since, with guards %j', ({ guards, counted }) => {
  test(`the bar has ${counted} of 10 prints`, async () => {
    const [zombie, owner] = await members(2, 'bars', guards)
    await zombie.assign()
    await zombie.deliver(5)
    await eventually(() => at('bars')).toEqual([5])
    await owner.assign()
    await owner.deliver(10)
    await eventually(() => at('bars')).toEqual([10])
    await zombie.deliver(8)
    await eventually(async () => [
      ...(await processing.metrics.processorFenced.get()).values.filter(({ value }) => value > 0),
      ...(await processing.metrics.processorTransactions.get()).values.filter(({ value }) => value > 2),
    ]).toHaveLength(1)
    expect(await trades()).toEqual([counted])
  })
})

describe.each<{ guards: Partial<Guards>; counted: number }>([
  { guards: {}, counted: 15 },
  { guards: { drop: false }, counted: 10 },
])('When a partition comes back from another member, with guards %j', ({ guards, counted }) => {
  test(`the bar has ${counted} of 15 prints`, async () => {
    const [first, second] = await members(2, 'bars', guards)
    await first.assign()
    await first.deliver(5)
    await eventually(() => at('bars')).toEqual([5])
    await second.assign()
    await second.deliver(10)
    await eventually(() => at('bars')).toEqual([10])
    await first.assign()
    expect(first.next).toBe(10)
    await first.deliver(15)
    await eventually(() => at('bars')).toEqual([15])
    expect(await trades()).toEqual([counted])
  })
})

test('a claim waits for the transaction of the owner before, and then knows all it did', async () => {
  const [first, second] = await members(2, 'bars')
  await first.assign()
  const delivered = first.deliver(10)
  await second.assign()
  await delivered
  const from = second.next
  await second.deliver(20)
  await eventually(() => at('bars')).toEqual([20])
  expect([0, 10]).toContain(from)
  expect(await trades()).toEqual([20])
})
