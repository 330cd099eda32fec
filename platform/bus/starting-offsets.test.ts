import { expect, test } from 'vitest'
import { ManualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import type { OffsetRange } from './bus.ts'
import { type StartingOffsets, startingOffsets } from './starting-offsets.ts'

const asked = (clock: ManualClock, highs: number[], position: number): StartingOffsets => ({
  group: 'ticks',
  topic: 'stock-data',
  partitions: [0],
  ranges: async (): Promise<ReadonlyMap<number, OffsetRange>> =>
    new Map([[0, { low: 0, high: highs.length > 1 ? (highs.shift() ?? 0) : highs[0] }]]),
  position: async () => new Map([[0, position]]),
  processed: async () => new Map(),
  current: () => true,
  clock,
  log: silentLog,
})

test('a position that others have moved beyond the end we had read is good', async () => {
  const clock = new ManualClock()
  await expect(startingOffsets(asked(clock, [10, 25], 20))).resolves.toEqual(new Map([[0, 20]]))
})

test('a broker that comes back may take a while to tell its true end', async () => {
  const clock = new ManualClock()
  const starting = startingOffsets(asked(clock, [10, 10, 10, 20], 20))
  await expect.poll(() => clock.advance(1_000).then(() => clock.now())).toBeGreaterThanOrEqual(2_000)
  await expect(starting).resolves.toEqual(new Map([[0, 20]]))
})

test('a position that stays beyond the end is lost', async () => {
  const clock = new ManualClock()
  const failed = startingOffsets(asked(clock, [10], 20)).catch((error: unknown) => error)
  await expect.poll(() => clock.advance(1_000).then(() => clock.now())).toBeGreaterThanOrEqual(10_000)
  expect(await failed).toMatchObject({ code: 'OFFSET_LOST' })
})
