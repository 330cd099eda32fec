import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Tick } from '../../domain/tick.ts'
import {
  historicalPrint,
  NOTHING,
  opened,
  type Printed,
  priceOf,
  printed,
  START_MS,
} from '../../tests/support/timed-book.ts'
import { STREAM_BOUNDS } from './bounds.ts'
import type { TimedHistory } from './stream-protocol.ts'

const QUIET_MS = STREAM_BOUNDS.quietMs

/** A tape of two symbols, with several prints in a millisecond now and then. */
const tapes = fc
  .array(fc.record({ symbol: fc.constantFrom('AAPL', 'MSFT'), stepMs: fc.constantFrom(0, 0, 1, 40, 700) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let afterMs = 0
    return steps.map(({ symbol, stepMs }, i) => {
      afterMs += stepMs
      return printed(`n${i}`, afterMs, symbol)
    })
  })

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ print: fc.constantFrom('AAPL', 'MSFT', 'TSLA') }) },
    { weight: 3, arbitrary: fc.record({ passMs: fc.constantFrom(1, 300, 2_000, 9_000, 40_000) }) },
    { weight: 2, arbitrary: fc.constant('down' as const) },
    { weight: 2, arbitrary: fc.constant('up' as const) },
  ),
  { maxLength: 80 },
)

test('However often the connection is lost, each print is told once, also where history is some seconds late', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 1_000, 3_000), async (steps, lateMs) => {
      const symbols = ['AAPL', 'MSFT', 'TSLA']
      const tape: Printed[] = []
      const history: TimedHistory = {
        symbolsAtOnce: 2,
        async *prints(wanted, fromMs) {
          const isThere = ({ symbol, eventTimeMs }: Printed) =>
            wanted.includes(symbol) && eventTimeMs >= fromMs && eventTimeMs <= clock.now() - lateMs
          yield { prints: tape.filter(isThere).map(historicalPrint), rejects: [] }
        },
      }
      const { clock, book, hear, pass, take, told, gaps, end } = opened({ symbols, history })
      let isUp = true
      book.connected(clock.now(), 0)
      const print = (symbol: string) => {
        const each = printed(`n${tape.length}`, clock.now() - START_MS, symbol)
        tape.push(each)
        if (isUp) hear(each)
      }
      // What is missed before anything was heard is none of ours.
      print('AAPL')
      for (const step of [...steps, 'up' as const, { passMs: 100_000 }]) {
        if (step === 'down') isUp = false
        else if (step === 'up') {
          if (!isUp) book.connected(clock.now(), 1)
          isUp = true
        } else if ('passMs' in step) await pass(step.passMs)
        else print(step.print)
      }
      take()
      await end()
      expect(told.map(({ price }) => price).toSorted()).toEqual(tape.map(priceOf).toSorted())
      for (const same of Map.groupBy(told, ({ source }) => source).values()) {
        const positions = same.map(({ position }) => position)
        expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b))
      }
      expect(gaps).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('Killed at any moment, another life gives every print the number that it had, and tells all of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      tapes,
      fc.array(fc.record({ heard: fc.nat(20), taken: fc.nat(20), missed: fc.nat(10) }), { minLength: 1, maxLength: 4 }),
      async (tape, lives) => {
        const symbols = ['AAPL', 'MSFT']
        const told: Tick[] = []
        let from = NOTHING
        let at = 0
        // Before the first checkpoint nobody knows that there was another life.
        const first = { ...lives[0], taken: lives[0].taken + 1 }
        const last = { heard: tape.length, taken: 0, missed: 0 }
        for (const { heard, taken, missed } of [first, ...lives.slice(1), last]) {
          const life = opened({ symbols, from })
          life.tape.push(...tape.slice(0, at))
          life.cut()
          life.hear(...tape.slice(at, at + taken))
          await life.pass(10 * QUIET_MS)
          life.take()
          // The checkpoint is here, and what comes now is produced without one.
          from = JSON.parse(JSON.stringify(life.book.checkpoint()))
          life.hear(...tape.slice(at + taken, at + taken + heard))
          life.take()
          told.push(...life.told)
          await life.end()
          at += taken + heard + missed
        }
        const byNumber = Map.groupBy(told, ({ source, position }) => `${source} ${position}`)
        for (const [number, same] of byNumber) expect(new Set(same.map(({ price }) => price)).size, number).toBe(1)
        const once = [...byNumber.values()].map(([{ symbol, price }]) => `${symbol} ${price}`)
        // Whatever was missed before a symbol was heard for the first time is none of ours.
        const owed = symbols.flatMap((symbol) => {
          const prices = new Set(told.filter((each) => each.symbol === symbol).map(({ price }) => price))
          const ofSymbol = tape.filter((each) => each.symbol === symbol)
          const first = ofSymbol.findIndex((each) => prices.has(priceOf(each)))
          return first < 0 ? [] : ofSymbol.slice(first)
        })
        expect(once.toSorted()).toEqual(owed.map((each) => `${each.symbol} ${priceOf(each)}`).toSorted())
      },
    ),
    { numRuns: 200 },
  )
})
