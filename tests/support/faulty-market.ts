import { type Tick, tick } from '../../domain/tick.ts'
import { marketOf, tradingPeriodAt } from '../../domain/trading-hours.ts'
import { SIMULATED_INSTRUMENTS } from '../../ingest/sources/simulated/instruments.ts'
import { Random } from '../../ingest/sources/simulated/random.ts'
import { type Print, Walk } from '../../ingest/sources/simulated/walk.ts'
import { partitionOf } from '../../platform/bus/partition.ts'

const VENUES = ['coinbase', 'kraken', 'binance'] as const
const COINS = ['BTC-USD', 'ETH-USD', 'SOL-USD']
const MINUTE_MS = 60_000
const STEP_MS = 400
/** What the walk sets an instrument's heat to when it jumps. */
const OWN_JUMP_HEAT = 4
/** A jump of the simulation that has to be found; it makes smaller ones too, and those of currencies are a fifth. */
const OWN_JUMP_SURE = 0.01

/** A fault that was put into the tape, or that the simulated market makes by itself: what a finding may rightly be of. */
export interface Fault {
  readonly kind: 'OUT_OF_ORDER' | 'JUMP' | 'VENUE_DISAGREEMENT' | 'STALE_SYMBOL'
  readonly source: string
  readonly symbol: string
  /** A finding of it has its event time in here. */
  readonly fromMs: number
  readonly toMs: number
  /** By the simulation: it may be too small to be one, and then nobody misses it. */
  readonly isOptional: boolean
}

export interface FaultyMarket {
  /** In the order in which they are told. */
  readonly ticks: readonly Tick[]
  readonly faults: readonly Fault[]
}

/**
 * The simulated market from a Monday noon to the Tuesday after it, US hours, with coins around the clock at three venues besides,
 * a pause in which nobody tells anything, and faults put in by the seed.
 */
export function faultyMarket(seed: number, partitions: number): FaultyMarket {
  return new Faking(seed, partitions).run()
}

const FROM_MS = Date.UTC(2026, 10, 16, 17)
const TO_MS = Date.UTC(2026, 10, 17, 21)
/** Nobody tells anything: the process was down. */
const DOWN_MS = [Date.UTC(2026, 10, 17, 17), Date.UTC(2026, 10, 17, 17, 40)] as const
/** So much of a source is known before faults are put in. */
const QUIET_START_MS = 45 * MINUTE_MS

class Faking {
  readonly #random: Random
  readonly #partitions: number
  readonly #walk: Walk
  readonly #ticks: Tick[] = []
  readonly #faults: Fault[] = []
  readonly #positions = new Map<string, number>()
  readonly #newest = new Map<string, Tick>()
  /** Until when a symbol is silent, a venue is away from the others, nothing else is put in. */
  readonly #silentUntilMs = new Map<string, number>()
  readonly #apart = new Map<string, { readonly untilMs: number; readonly factor: number }>()
  readonly #restUntilMs = new Map<string, number>()
  readonly #told = new Map<string, number>()
  readonly #marketPrices = new Map<string, number>()

  constructor(seed: number, partitions: number) {
    this.#random = Random.seeded(seed)
    this.#partitions = partitions
    this.#walk = Walk.start(SIMULATED_INSTRUMENTS, 'us', seed, FROM_MS)
  }

  run(): FaultyMarket {
    for (let timeMs = FROM_MS; timeMs < TO_MS; timeMs += STEP_MS) {
      const print = this.#walk.step(timeMs)
      if (!print) continue
      const move = this.#ownJump(print)
      if (timeMs >= DOWN_MS[0] && timeMs < DOWN_MS[1]) continue
      this.#print('simulated', print.symbol, print.price, timeMs, move)
      if (COINS.includes(print.symbol))
        for (const [n, venue] of VENUES.entries()) {
          const price = print.price * (1 + 0.0001 * this.#random.gaussian())
          this.#print(`${venue}:${print.symbol}`, print.symbol, price, timeMs + 10 * (n + 1), move)
        }
    }
    return { ticks: this.#ticks, faults: this.#faults }
  }

  /** How far the walk itself has just jumped; 0 where it did not. It is excited by a jump, and by nothing else. */
  #ownJump({ symbol, price }: Print): number {
    const before = this.#marketPrices.get(symbol) ?? price
    this.#marketPrices.set(symbol, price)
    const move = Math.abs(Math.log(price / before))
    // To ask for its state at each step would take longer than all the rest.
    if (move < 0.0005) return 0
    const i = SIMULATED_INSTRUMENTS.findIndex(({ instrument }) => instrument.symbol === symbol)
    return this.#walk.state.heat[i] === OWN_JUMP_HEAT ? move : 0
  }

  #print(source: string, symbol: string, marketPrice: number, timeMs: number, ownJump: number): void {
    const key = `${source} ${symbol}`
    const told = this.#told.get(key) ?? 0
    if ((this.#silentUntilMs.get(key) ?? 0) > timeMs) return
    if (ownJump > 0) this.#fault('JUMP', source, symbol, timeMs, timeMs, ownJump < OWN_JUMP_SURE || told < 100)
    let price = marketPrice
    if (told > 100 && timeMs > FROM_MS + QUIET_START_MS && this.#isOpenFor(symbol, timeMs, 60 * MINUTE_MS))
      price = this.#maybeFault(key, source, symbol, marketPrice, timeMs)
    const apart = this.#apart.get(key)
    if (apart && timeMs >= apart.untilMs) {
      this.#apart.delete(key)
      // Back among the others: that is a jump too, unless it comes right after the one away from them.
      this.#fault('JUMP', source, symbol, timeMs, timeMs, true)
    } else if (apart) price = marketPrice * apart.factor
    if ((this.#silentUntilMs.get(key) ?? 0) > timeMs) return
    this.#tell(source, symbol, price, timeMs)
    this.#told.set(key, told + 1)
  }

  /** About one fault in a thousand prints, and none soon after another of the symbol. */
  #maybeFault(key: string, source: string, symbol: string, price: number, timeMs: number): number {
    if ((this.#restUntilMs.get(symbol) ?? 0) > timeMs) return price
    const isVenue = source !== 'simulated'
    const draw = this.#random.uniform() * 2_400
    if (draw < 1) return this.#jump(source, symbol, price, timeMs)
    if (draw < 2) this.#outOfOrder(source, symbol, timeMs)
    else if (draw < 3 && isVenue) this.#disagree(key, source, symbol, timeMs)
    else if (draw < 3 && this.#hasCompany(symbol, timeMs)) this.#silence(key, source, symbol, timeMs)
    return price
  }

  /** One bad print: there, and back with the next. */
  #jump(source: string, symbol: string, price: number, timeMs: number): number {
    this.#rest(symbol, timeMs, 5)
    this.#fault('JUMP', source, symbol, timeMs, timeMs)
    this.#fault('JUMP', source, symbol, timeMs + 1, timeMs + 2 * MINUTE_MS, true)
    const size = 0.015 + 0.1 * this.#random.uniform()
    return price * (this.#random.uniform() < 0.5 ? 1 - size : 1 + size)
  }

  #outOfOrder(source: string, symbol: string, timeMs: number): void {
    const newest = this.#newest.get(`${source} ${symbol}`)
    if (!newest) return
    this.#rest(symbol, timeMs, 5)
    const lateMs = 6_000 + Math.floor(600_000 * this.#random.uniform())
    const eventTimeMs = newest.eventTimeMs - lateMs
    this.#fault('OUT_OF_ORDER', source, symbol, eventTimeMs, eventTimeMs)
    this.#tell(source, symbol, newest.price, eventTimeMs, timeMs)
  }

  #disagree(key: string, source: string, symbol: string, timeMs: number): void {
    const untilMs = timeMs + 30_000 + Math.floor(300_000 * this.#random.uniform())
    this.#rest(symbol, untilMs, 10)
    this.#fault('VENUE_DISAGREEMENT', source, symbol, timeMs, untilMs)
    this.#fault('JUMP', source, symbol, timeMs, timeMs, true)
    this.#apart.set(key, {
      untilMs,
      factor: 1 + (this.#random.uniform() < 0.5 ? -1 : 1) * (0.015 + 0.03 * this.#random.uniform()),
    })
  }

  #silence(key: string, source: string, symbol: string, timeMs: number): void {
    const newest = this.#newest.get(key)
    if (!newest) return
    const untilMs = timeMs + (30 + 20 * this.#random.uniform()) * MINUTE_MS
    this.#rest(symbol, untilMs, 20)
    this.#fault('STALE_SYMBOL', source, symbol, newest.eventTimeMs, newest.eventTimeMs)
    this.#silentUntilMs.set(key, untilMs)
  }

  #rest(symbol: string, fromMs: number, minutes: number): void {
    this.#restUntilMs.set(symbol, fromMs + minutes * MINUTE_MS)
  }

  /** Whether another symbol of the source goes on in the same partition: without one, nobody could know there. */
  #hasCompany(symbol: string, timeMs: number): boolean {
    const place = partitionOf(symbol, this.#partitions)
    return SIMULATED_INSTRUMENTS.some(
      ({ instrument: { symbol: other } }) =>
        other !== symbol &&
        partitionOf(other, this.#partitions) === place &&
        this.#isOpenFor(other, timeMs, 60 * MINUTE_MS),
    )
  }

  #isOpenFor(symbol: string, timeMs: number, forMs: number): boolean {
    const { isOpen, endMs } = tradingPeriodAt(marketOf(symbol), timeMs)
    return isOpen && endMs - timeMs > forMs && !(timeMs < DOWN_MS[1] && timeMs > DOWN_MS[0] - forMs)
  }

  #fault(kind: Fault['kind'], source: string, symbol: string, fromMs: number, toMs: number, isOptional = false): void {
    this.#faults.push({ kind, source, symbol, fromMs, toMs, isOptional })
  }

  #tell(source: string, symbol: string, price: number, eventTimeMs: number, nowMs = eventTimeMs): void {
    const position = this.#positions.get(source) ?? 0
    this.#positions.set(source, position + 1)
    const told = tick({
      symbol,
      price,
      size: 1,
      eventTimeMs,
      ingestTimeMs: nowMs + 20,
      seq: position,
      source,
      position,
    })
    this.#ticks.push(told)
    if (eventTimeMs === nowMs) this.#newest.set(`${source} ${symbol}`, told)
  }
}
