import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Numbered, PrintSequence } from './print-sequence.ts'

const print = (id: number): Numbered => ({ id, eventTimeMs: id * 10 })
const sequenceAfter = (last?: number) => {
  const taken: number[] = []
  const sequence = new PrintSequence('BTC-USD', last === undefined ? undefined : print(last), ({ id }) =>
    taken.push(id),
  )
  return { taken, sequence }
}

describe('The prints of one product', () => {
  test('begin with the first that comes, whatever its number', () => {
    const { sequence, taken } = sequenceAfter()
    expect(sequence.offer(print(700), true)).toBe('next')
    expect(sequence.hole()).toBeUndefined()
    expect(taken).toEqual([700])
  })

  test('wait behind a hole, and go on together once it is filled', () => {
    const { sequence, taken } = sequenceAfter(7)
    expect(sequence.offer(print(10), true)).toBe('held')
    expect(sequence.offer(print(9), true)).toBe('held')
    expect(sequence.hole()).toMatchObject({ after: { id: 7 }, beforeId: 9 })
    expect(sequence.offer(print(8), true)).toBe('next')
    expect(taken).toEqual([8, 9, 10])
    expect(sequence.heldCount).toBe(0)
  })

  test('that came before, or wait already, are duplicates', () => {
    const { sequence, taken } = sequenceAfter(7)
    sequence.offer(print(9), true)
    expect([7, 3, 9].map((id) => sequence.offer(print(id), true))).toEqual(['duplicate', 'duplicate', 'duplicate'])
    expect(taken).toEqual([])
  })

  test('for which there is no room are known to be missing', () => {
    const { sequence } = sequenceAfter(7)
    expect(sequence.offer(print(9), false)).toBe('refused')
    expect(sequence.hole()).toMatchObject({ after: { id: 7 }, beforeId: 10 })
  })

  test('that the venue announces are a hole, unless none has come yet', () => {
    const { sequence } = sequenceAfter()
    sequence.announce(9)
    expect(sequence.hole()).toBeUndefined()
    sequence.offer(print(6), true)
    expect(sequence.hole()).toMatchObject({ after: { id: 6 }, beforeId: 10, beforeTimeMs: undefined })
  })

  test('go on behind a hole that is given up', () => {
    const { sequence, taken } = sequenceAfter(7)
    sequence.offer(print(12), true)
    sequence.giveUpBefore(10, 90)
    expect(sequence.hole()).toMatchObject({ after: { id: 9, eventTimeMs: 90 }, beforeId: 12 })
    sequence.giveUpBefore(12, 110)
    expect(taken).toEqual([12])
  })

  test('are told once and in order, in whatever order and however often they come', () => {
    const comings = fc
      .uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
      .chain((ids) =>
        fc.shuffledSubarray([...ids, ...ids, ...ids], { minLength: ids.length }).map((again) => [...again, ...ids]),
      )
    fc.assert(
      fc.property(comings, (ids) => {
        const { sequence, taken } = sequenceAfter(0)
        for (const id of ids) sequence.offer(print(id), true)
        for (let hole = sequence.hole(); hole; hole = sequence.hole()) sequence.giveUpBefore(hole.beforeId, 0)
        expect(taken).toEqual([...new Set(ids)].sort((a, b) => a - b))
      }),
    )
  })
})
