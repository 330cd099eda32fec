import { describe, expect, test } from 'vitest'
import type { BusRecord } from './bus.ts'
import { RecentRecords } from './recent-records.ts'

const record = (offset: number, fields: Partial<BusRecord> = {}): BusRecord => ({
  offset,
  key: 'AAPL',
  value: Buffer.from(`price ${offset}`),
  headers: {},
  ...fields,
})

/** As they are read at the end of the partition, unless `high` lies behind them. */
const read = (from: number, to: number, high = to) => ({
  records: Array.from({ length: to - from }, (_, i) => record(from + i)),
  nextOffset: to,
  high,
})

function openTrail(recordsMax = 100, bytesMax = 10_000) {
  const recent = new RecentRecords(recordsMax, bytesMax)
  const trail = recent.lead('stock-data', 3, 0)
  if (!trail) throw new Error('nobody else leads')
  const heldFrom = (offset: number) => recent.after('stock-data', 3, offset)
  return {
    recent,
    trail,
    heldFrom,
    offsetsFrom: (offset: number) => heldFrom(offset)?.records.map((each) => each.offset),
  }
}

describe('what a consumer has just read of a partition', () => {
  test('another one finds from where it is', () => {
    const { trail, offsetsFrom, heldFrom } = openTrail()
    trail.add(0, read(0, 3))
    trail.add(3, read(3, 5))
    expect(offsetsFrom(0)).toEqual([0, 1, 2, 3, 4])
    expect(offsetsFrom(4)).toEqual([4])
    expect(heldFrom(5)).toEqual({ records: [], nextOffset: 5, high: 5 })
  })

  test('is as it was read', () => {
    const { trail, heldFrom } = openTrail()
    const given = [
      record(0, { key: 'Zürich', headers: { ce_id: '7', traceparent: 'ä' } }),
      record(1, { value: null }),
      record(2, { key: null, value: Buffer.alloc(0) }),
      record(5, { key: '' }),
    ]
    trail.add(0, { records: given, nextOffset: 6, high: 6 })
    const found = heldFrom(0)?.records.map(({ offset, key, value, headers }) => ({ offset, key, value, headers }))
    expect(found).toEqual(given)
  })

  test('stays what it was for those who found it when newer records take its place', () => {
    const { trail, heldFrom } = openTrail(2)
    trail.add(0, read(0, 2))
    const found = heldFrom(0)
    for (let offset = 2; offset < 20; offset++) trail.add(offset, read(offset, offset + 1))
    expect(found?.records.map(({ value }) => String(value))).toEqual(['price 0', 'price 1'])
  })

  test.each([
    ['records', 4, 10_000],
    ['bytes', 100, 4 * 'AAPLprice 0'.length],
  ])(
    'is held up to a number of %s, the newest; who needs an older one is told that it is gone',
    (_, records, bytes) => {
      const { trail, heldFrom, offsetsFrom } = openTrail(records, bytes)
      for (let offset = 0; offset < 10; offset++) trail.add(offset, read(offset, offset + 1))
      expect(heldFrom(3)).toBeUndefined()
      expect(offsetsFrom(4)).toEqual([4, 5, 6, 7, 8, 9])
    },
  )

  test('is not held where a record alone is too large, and goes on behind it', () => {
    const { trail, heldFrom, offsetsFrom } = openTrail(100, 50)
    trail.add(0, read(0, 1))
    trail.add(1, { records: [record(1, { value: Buffer.alloc(51) })], nextOffset: 2, high: 2 })
    expect(heldFrom(0)).toBeUndefined()
    expect(heldFrom(1)).toBeUndefined()
    trail.add(2, read(2, 3))
    expect(offsetsFrom(2)).toEqual([2])
  })

  test('is not held while it lies before the end of the partition', () => {
    const { trail, heldFrom, offsetsFrom } = openTrail()
    trail.add(0, read(0, 50, 1_000))
    expect(heldFrom(0)).toBeUndefined()
    trail.add(50, read(50, 60))
    expect(offsetsFrom(50)).toHaveLength(10)
  })

  test('is not held from before a gap, where it was not told of in between', () => {
    const { trail, heldFrom, offsetsFrom } = openTrail()
    trail.add(0, read(0, 3))
    trail.add(7, read(7, 9))
    expect(heldFrom(2)).toBeUndefined()
    expect(heldFrom(7)).toBeUndefined()
    trail.add(9, read(9, 10))
    expect(offsetsFrom(9)).toEqual([9])
  })

  test('is held once where it was read twice', () => {
    const { trail, offsetsFrom } = openTrail()
    trail.add(0, read(0, 3))
    trail.add(0, read(0, 3))
    trail.add(0, read(0, 5))
    expect(offsetsFrom(0)).toEqual([0, 1, 2, 3, 4])
  })

  test('is told by one of them at a time, and gone when that one has left', () => {
    const { recent, trail, heldFrom } = openTrail()
    trail.add(0, read(0, 3))
    expect(recent.lead('stock-data', 3, 0)).toBeUndefined()
    trail.end()
    expect(heldFrom(0)).toBeUndefined()
    recent.lead('stock-data', 3, 3)?.add(3, read(3, 4))
    expect(heldFrom(3)?.records).toHaveLength(1)
  })
})
