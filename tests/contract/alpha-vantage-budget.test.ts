// What twenty-five requests a day are good for: the real source over HTTP, against a server that counts as the vendor does.
import { DateTime } from 'luxon'
import { describe, expect, test } from 'vitest'
import { nextUsCloseMs } from '../../ingest/exchange-clock.ts'
import type { QuotaStore } from '../../ingest/quota/quota.ts'
import type { Fact } from '../../platform/bus/topics.ts'
import { ManualClock, systemClock } from '../../platform/clock.ts'
import { ALPHA_VANTAGE_KEYS, alphaVantageCase, alphaVantageFake } from '../support/vendors/alpha-vantage.ts'
import { MemoryQuotas } from '../support/vendors/memory-quotas.ts'
import { CaseReader, openCase } from '../support/vendors/polled-reader.ts'
import { nameOf } from '../support/vendors/polled-vendor-case.ts'
import { type VendorQuestion, VendorServer } from '../support/vendors/vendor-server.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const DAYS = 8
const RESTARTS = 7
const REQUESTS_PER_DAY = 25
const NEWS_PER_DAY = 4
/** By the wall: until a request has arrived, and until its answer has been read. */
const SENT_MS = 50
const ANSWERED_MS = 5
const STEP_MS = 1_000
const SYMBOLS = `AAPL ABBV ABT ACN ADBE AMD AMGN AMZN AVGO BA BAC BRK.B C CAT COST CRM CSCO CVX DIS GE
  GOOGL HD IBM INTC JNJ JPM KO LLY MA MCD META MRK MSFT NFLX NKE NVDA ORCL PEP PFE PG`.split(/\s+/)
const WATCHED = ['IBM', 'KO', 'PG']
const NEW_YORK = 'America/New_York'
const { startMs, limits, keyOf } = alphaVantageCase

/** Time stands still while a request is on its way: by the clock it takes none. */
class Simulation {
  readonly clock = new ManualClock(startMs)
  readonly quotas: QuotaStore
  #stillUntilMs = 0

  constructor(kept: QuotaStore) {
    // What is about to be sent is stored first, so this is where a request begins.
    const save: QuotaStore['save'] = (name, spent) => {
      this.onItsWay(SENT_MS)
      return kept.save(name, spent)
    }
    this.quotas = { load: (name) => kept.load(name), save }
  }

  onItsWay(ms: number): void {
    this.#stillUntilMs = performance.now() + ms
  }

  async advanceTo(untilMs: number): Promise<void> {
    while (this.clock.now() < untilMs) {
      while (performance.now() < this.#stillUntilMs) await systemClock.sleep(1)
      await this.clock.advance(STEP_MS)
    }
  }
}

/** More than a week from Monday evening on, with a new start nearly each day, of which every other one has forgotten the last minutes. */
async function eightDays(keys: readonly string[]) {
  const simulation = new Simulation(new MemoryQuotas())
  const { clock, quotas } = simulation
  const fake = alphaVantageFake(SYMBOLS)(clock)
  const answer = (question: VendorQuestion) => {
    simulation.onItsWay(ANSWERED_MS)
    return fake.answer(question)
  }
  await using server = await VendorServer.start({ answer, clock, ...(keyOf && { keyOf }) })
  const interest = new Map(WATCHED.map((symbol) => [symbol, { alertRules: 0, watchers: 1 }]))
  const vendor = { ...alphaVantageCase, symbols: SYMBOLS, variables: { ALPHA_VANTAGE_KEY: keys.join(',') } }
  const around = { url: server.url, clock, quotas, logged: () => undefined, interest: { current: () => interest } }
  const facts: Fact[] = []
  let checkpoint: unknown
  for (let life = 0; life <= RESTARTS; life++) {
    const reader = new CaseReader(openCase(vendor, around), checkpoint)
    const untilMs = startMs + ((life + 1) * DAYS * DAY_MS) / (RESTARTS + 1)
    await simulation.advanceTo(untilMs - 5 * MINUTE_MS)
    checkpoint = reader.checkpoint
    await simulation.advanceTo(untilMs)
    await reader.stop()
    if (life % 2 === 0) checkpoint = reader.checkpoint
    facts.push(...reader.facts)
  }
  return { facts, server }
}

const dayOf = (ms: number) => DateTime.fromMillis(ms, { zone: NEW_YORK }).toISODate()

/** The bells whose quotes there was a whole day to ask for. */
function closes(): readonly number[] {
  const bells: number[] = []
  for (let ms = nextUsCloseMs(startMs); ms < startMs + (DAYS - 2) * DAY_MS; ms = nextUsCloseMs(ms)) bells.push(ms)
  return bells
}

const quotedOn = (facts: readonly Fact[], closeMs: number) =>
  new Set(facts.flatMap(({ event }) => ('dayVolume' in event && event.eventTimeMs === closeMs ? [event.symbol] : [])))

/** Of so many in a row. */
const inRows = <T>(all: readonly T[], length: number): readonly (readonly T[])[] =>
  all.slice(0, all.length - length + 1).map((_, first) => all.slice(first, first + length))

describe.concurrent.each([
  ['one key', ALPHA_VANTAGE_KEYS.slice(0, 1), 3],
  ['two keys', ALPHA_VANTAGE_KEYS, 1],
])('Forty symbols over eight days, with restarts and %s', (_keys, keys, daysForAll) => {
  const allowed = REQUESTS_PER_DAY * keys.length
  const eightDaysOnce = eightDays(keys)
  eightDaysOnce.catch(() => undefined)

  test('never ask more than is allowed', async () => {
    const { server } = await eightDaysOnce
    for (const window of limits)
      expect(server.most(window), JSON.stringify(window)).toBeLessThanOrEqual(window.requests)
  })

  test('leave next to nothing of it unused as long as there is something to ask for', async () => {
    const { server } = await eightDaysOnce
    const bells = closes().map(dayOf)
    const asks = server.arrivals.filter(({ atMs }) => bells.includes(dayOf(atMs))).length
    const wanted = Math.min(allowed, SYMBOLS.length + NEWS_PER_DAY)
    expect(asks).toBeGreaterThanOrEqual(0.9 * wanted * bells.length)
  })

  test('give what is watched a quote of every day', async () => {
    const { facts } = await eightDaysOnce
    for (const closeMs of closes()) expect([...quotedOn(facts, closeMs)]).toEqual(expect.arrayContaining(WATCHED))
  })

  test(`give every symbol a quote in ${daysForAll} days, which is what the budget allows`, async () => {
    const { facts } = await eightDaysOnce
    const others = (allowed - NEWS_PER_DAY - WATCHED.length) * daysForAll
    expect(others).toBeGreaterThanOrEqual(SYMBOLS.length - WATCHED.length)
    for (const bells of inRows(closes(), daysForAll)) {
      const quoted = new Set(bells.flatMap((closeMs) => [...quotedOn(facts, closeMs)]))
      expect([...quoted].toSorted(), bells.map(dayOf).join()).toEqual(SYMBOLS)
    }
  })

  test('tell nothing in two versions', async () => {
    const { facts } = await eightDaysOnce
    for (const [name, same] of Map.groupBy(facts, nameOf)) {
      const contents = new Set(same.map(({ event }) => JSON.stringify({ ...event, ingestTimeMs: 0 })))
      expect(contents.size, name).toBe(1)
    }
  })
})
