import {
  minutelyInMarketHours,
  type SimulatedAsk,
  SimulatedVendor,
} from '../tests/support/vendors/simulated-polling.ts'
import { Report } from './report.ts'

const DAY_MS = 86_400_000
const DAYS = 10
/** A Monday, at midnight UTC. */
const START_MS = Date.UTC(2026, 10, 16)
const REQUESTS_PER_DAY = 25
const SYMBOLS = Array.from({ length: 40 }, (_, i) => `S${i}`)
const WATCHED = SYMBOLS.slice(0, 5)

/**
 * A free key and forty symbols, five of them watched, in simulated days: how many requests it takes to ask for the watched
 * ones as often as the planner does, when one asks for all in turn; and how old their prices are while the market is open.
 */
export async function quota(): Promise<Report> {
  const report = new Report(
    `${REQUESTS_PER_DAY} requests a day, ${SYMBOLS.length} symbols of which ${WATCHED.length} are watched, ${DAYS} simulated days`,
  )
  const asks = await planned()
  const perDay = report.figure('planner: requests', 'per day', [asks.length / DAYS])
  const ofWatched = asks.filter(({ symbol }) => WATCHED.includes(symbol)).length / WATCHED.length / DAYS
  report.figure('planner: looks at each watched symbol', 'per day', [ofWatched])
  const naivePerDay = report.figure('all in turn, for as many looks: requests', 'per day', [ofWatched * SYMBOLS.length])
  report.ratio('requests, all in turn / planner', naivePerDay / perDay)
  const ours = report.figure('planner: age of a watched price, mean', 'h', [meanAgeMs(asks) / 3_600_000])
  const naive = report.figure('all in turn within the budget: the same', 'h', [meanAgeMs(inTurn()) / 3_600_000])
  report.ratio('age, all in turn / planner', naive / ours)
  return report
}

async function planned(): Promise<readonly SimulatedAsk[]> {
  const windows = [
    { kind: 'sliding', requests: 1, perMs: 1_100 },
    { kind: 'day', requests: REQUESTS_PER_DAY, timeZone: 'UTC' },
  ] as const
  const vendor = new SimulatedVendor({ symbols: SYMBOLS, windows, startMs: START_MS })
  for (const symbol of WATCHED) vendor.interest.set(symbol, { alertRules: 0, watchers: 1 })
  await vendor.start()
  await vendor.clock.advance(DAYS * DAY_MS)
  await vendor.kill()
  return vendor.asks
}

/** Each day from the open on, a minute apart, until the budget is used up; the next day goes on where this one ended. */
function inTurn(): readonly SimulatedAsk[] {
  const asks: SimulatedAsk[] = []
  for (let day = 0; day < DAYS; day++) {
    const openMs = minutelyInMarketHours(START_MS + day * DAY_MS, undefined)
    for (let i = 0; i < REQUESTS_PER_DAY; i++)
      asks.push({ atMs: openMs + i * 60_000, symbol: SYMBOLS[asks.length % SYMBOLS.length], key: '' })
  }
  return asks
}

/** Of the watched symbols, seen each minute in which the market is open, after the first days. */
function meanAgeMs(asks: readonly SimulatedAsk[]): number {
  const ages: number[] = []
  for (const symbol of WATCHED) {
    const times = asks.filter((ask) => ask.symbol === symbol).map(({ atMs }) => atMs)
    for (let atMs = START_MS + 3 * DAY_MS; atMs < START_MS + DAYS * DAY_MS; atMs += 60_000) {
      if (minutelyInMarketHours(atMs, undefined) !== atMs) continue
      const seenMs = times.findLast((timeMs) => timeMs <= atMs)
      if (seenMs !== undefined) ages.push(atMs - seenMs)
    }
  }
  return ages.reduce((sum, age) => sum + age, 0) / ages.length
}
