import { expect, test } from 'vitest'
import { type Tick, tick } from '../domain/tick.ts'
import type { BusRecord } from '../platform/bus/bus.ts'
import { openCodec } from '../platform/bus/codec.ts'
import { MemorySchemaRegistry } from '../platform/bus/memory-schema-registry.ts'
import { partitionOf } from '../platform/bus/partition.ts'
import { SourceProgress } from './source-progress.ts'
import { readTicks } from './tick-reading.ts'

const PARTITIONS = 12
const codec = await openCodec(new MemorySchemaRegistry())
const reading = readTicks({ keepsOriginals: true })({ codec, partitions: PARTITIONS })

const print = (position: number, fields: Partial<Tick> = {}): Tick =>
  tick({
    symbol: 'AAPL',
    price: 190,
    size: 1,
    eventTimeMs: 1_000 + position,
    ingestTimeMs: 5_000 + position,
    seq: position,
    source: 'tape',
    position,
    ...fields,
  })
const recordOf = (fact: Tick, offset: number): BusRecord => ({
  offset,
  headers: {},
  ...codec.encode('stock-data', fact),
})
const open = () => reading.open(partitionOf('AAPL', PARTITIONS), 10)

test('a position that was seen before is a duplicate, and the bytes beside the others stay theirs', () => {
  const batch = open()
  const records = [print(0), print(1), print(1), print(0), print(2)].map(recordOf)
  for (const record of records) batch.add(record)
  const work = batch.finish([], 5, new SourceProgress(), 0)
  expect(Array.from({ length: work.ticks.length }, (_, i) => work.ticks.at(i).position)).toEqual([0, 1, 2])
  expect(work.originals.map(({ offset }) => offset)).toEqual([0, 1, 4])
  expect(work).toMatchObject({ records: 3, duplicates: 2, nextOffset: 5, oldestIngestTimeMs: 5_000 })
})

test('duplicates that wait count as records that wait', () => {
  const progress = new SourceProgress(new Map([['tape', { position: 9, watermarkMs: 0, seenAtMs: 0 }]]))
  const batch = open()
  for (let i = 0; i < 3; i++) batch.add(recordOf(print(i), i))
  expect(batch.finish([], 3, progress, 0)).toMatchObject({ records: 0, duplicates: 3, cost: 3 })
})

test('a tick outside the partition of its symbol is refused, and nothing of it stays', () => {
  const batch = open()
  expect(() => batch.add(recordOf(print(0, { symbol: 'MSFT' }), 0))).toThrow(/belongs to partition \d+ of stock-data/)
  expect(batch.finish([], 1, new SourceProgress(), 0)).toMatchObject({ records: 0, originals: [] })
})
