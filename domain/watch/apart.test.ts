import { describe, expect, test } from 'vitest'
import { type Apart, type ApartMemory, judgeApart } from './apart.ts'
import { NEVER_MS } from './average.ts'

const SECOND_MS = 1_000

interface Venue extends ApartMemory {
  readonly name: string
}

/** Some venues; `tell` is a print of one of them, answered with what is found. */
function market(...names: string[]) {
  const venues = names.map(
    (name): Venue => ({
      name,
      price: 100,
      newestMs: 0,
      usualApart: 0,
      comparedMs: 0,
      apartSinceMs: NEVER_MS,
      isApart: false,
      apartToldMs: NEVER_MS,
    }),
  )
  const found: Apart<Venue>[] = []
  const tell = (name: string, seconds: number, price: number) => {
    const own = venues.find((venue) => venue.name === name)
    if (!own) throw new Error(`no venue ${name}`)
    own.price = price
    own.newestMs = seconds * SECOND_MS
    const apart = judgeApart(own, venues)
    if (apart) found.push(apart)
    return apart
  }
  return { venues, found, tell }
}

describe('A source disagrees with the others', () => {
  test('where its price stays away from theirs', () => {
    const { tell } = market('a', 'b')
    tell('a', 1, 100)
    expect(tell('b', 1, 102)).toBeUndefined()
    tell('a', 2, 100)
    expect(tell('b', 2, 102)).toBeUndefined()
    tell('a', 3, 100)
    expect(tell('b', 3, 102)).toMatchObject({ sinceMs: SECOND_MS, isSuppressed: false, other: { name: 'a' } })
  })

  test('once until it ends, however long that is, and nobody else does because of it', () => {
    const { tell, found } = market('a', 'b')
    for (let second = 1; second < 600; second++) {
      tell('a', second, 100)
      tell('b', second, 103)
    }
    expect(found.map(({ sinceMs }) => sinceMs)).toEqual([SECOND_MS])
  })

  test('again when it does so again later', () => {
    const { tell, found } = market('a', 'b')
    for (let second = 1; second < 1_200; second++) {
      tell('a', second, 100)
      tell('b', second, second % 600 < 10 ? 103 : 100)
    }
    expect(found.map(({ isSuppressed }) => isSuppressed)).toEqual([false, false])
  })

  test('again at once is counted and not told', () => {
    const { tell, found } = market('a', 'b')
    for (let second = 1; second < 60; second++) {
      tell('a', second, 100)
      tell('b', second, second % 20 < 10 ? 103 : 100)
    }
    expect(found.map(({ isSuppressed }) => isSuppressed)).toEqual([false, true, true])
  })

  test('not where it was the first to see the market move', () => {
    const { tell, found } = market('a', 'b')
    for (let second = 1; second < 60; second++) {
      const level = second < 30 ? 100 : 104
      tell('b', second, level)
      tell('a', second + 0.9, level)
    }
    expect(found).toEqual([])
  })

  test('not where their prices are not of one time', () => {
    const { tell, found } = market('a', 'b')
    for (let second = 10; second < 600; second += 20) {
      tell('a', second, 100)
      tell('b', second + 10, 110)
    }
    expect(found).toEqual([])
  })

  test('not where it always is that far away: it becomes usual, and is told once', () => {
    const { tell, found, venues } = market('a', 'b')
    for (let second = 1; second < 4 * 3_600; second++) {
      tell('a', second, 100)
      tell('b', second, 102)
    }
    expect(found).toHaveLength(1)
    expect(venues[1]).toMatchObject({ apartSinceMs: NEVER_MS, isApart: false })
  })

  test('and of three it is the one that is alone', () => {
    const { tell, found } = market('a', 'b', 'c')
    for (let second = 1; second < 60; second++) {
      tell('c', second, second < 20 ? 100 : 105)
      tell('a', second + 0.1, 100)
      tell('b', second + 0.2, 100.01)
    }
    expect(found.map(({ other, sinceMs }) => [other.name, sinceMs])).toEqual([['b', 20 * SECOND_MS]])
  })
})
