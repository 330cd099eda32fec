import { z } from 'zod'
import { MARKET_VOLATILITY, SECTOR_VOLATILITY, SECTORS, type SimulatedInstrument } from './instruments.ts'
import { busyness, type MarketHours, Sessions } from './market-hours.ts'
import { Random } from './random.ts'

const SESSION_SECONDS = 23_400
const YEAR_SECONDS = 252 * SESSION_SECONDS
const SQRT_YEAR_SECONDS = Math.sqrt(YEAR_SECONDS)
/** Every walk is drawn back to its start over about a year, so that a simulation may run for ever and stay plausible. */
const REVERSION_PER_SECOND = 1 / YEAR_SECONDS
const FACTOR_STEP_MS = 100

/** News: on average this often per instrument, the price jumps and trades are larger for a while. */
const JUMPS_PER_SECOND = 0.3 / SESSION_SECONDS
/** So that not every instrument jumps with its first trade after a night. */
const JUMP_WINDOW_SECONDS_MAX = 600
const JUMP_MIN = 0.004
const JUMP_DEVIATION = 0.012
const JUMP_HEAT = 4
const HEAT_SECONDS = 120

const SIZE_DEVIATION = 0.9

export const walkStateSchema = z.object({
  random: z.array(z.number().int()).length(4),
  factorsMs: z.number(),
  market: z.number(),
  sectors: z.array(z.number()).length(SECTORS.length),
  /** Per instrument: its own walk, how excited it is, and when it last traded. */
  own: z.array(z.number()),
  heat: z.array(z.number()),
  tradedMs: z.array(z.number()),
})
export type WalkState = z.infer<typeof walkStateSchema>

export interface Print {
  readonly symbol: string
  readonly price: number
  readonly size: number
}

/**
 * The correlated walk of all prices, in the logarithm: an instrument follows the market by its beta, its sector, and noise
 * of its own. Every step depends on the state and the time alone.
 */
export class Walk {
  readonly #instruments: readonly SimulatedInstrument[]
  readonly #shares: Float64Array
  readonly #sessions: Sessions
  readonly #random: Random
  #factorsMs: number
  #market: number
  readonly #sectors: Float64Array
  readonly #own: Float64Array
  readonly #heat: Float64Array
  readonly #tradedMs: Float64Array

  private constructor(instruments: readonly SimulatedInstrument[], hours: MarketHours, state: WalkState) {
    this.#instruments = instruments
    this.#shares = cumulativeShares(instruments)
    this.#sessions = new Sessions(hours)
    this.#random = Random.from(state.random)
    this.#factorsMs = state.factorsMs
    this.#market = state.market
    this.#sectors = Float64Array.from(state.sectors)
    this.#own = Float64Array.from(state.own)
    this.#heat = Float64Array.from(state.heat)
    this.#tradedMs = Float64Array.from(state.tradedMs)
  }

  static start(instruments: readonly SimulatedInstrument[], hours: MarketHours, seed: number, timeMs: number): Walk {
    return new Walk(instruments, hours, {
      random: [...Random.seeded(seed).state],
      factorsMs: timeMs,
      market: 0,
      sectors: SECTORS.map(() => 0),
      own: instruments.map(() => 0),
      heat: instruments.map(() => 0),
      tradedMs: instruments.map(() => timeMs),
    })
  }

  static from(instruments: readonly SimulatedInstrument[], hours: MarketHours, state: WalkState): Walk {
    return new Walk(instruments, hours, state)
  }

  get state(): WalkState {
    return {
      random: [...this.#random.state],
      factorsMs: this.#factorsMs,
      market: this.#market,
      sectors: [...this.#sectors],
      own: [...this.#own],
      heat: [...this.#heat],
      tradedMs: [...this.#tradedMs],
    }
  }

  /** The same walk, going on at another time as if none had passed in between. */
  movedTo(hours: MarketHours, timeMs: number): Walk {
    const tradedMs = this.#instruments.map(() => timeMs)
    return new Walk(this.#instruments, hours, { ...this.state, factorsMs: timeMs, tradedMs })
  }

  /** What trades at that time; undefined where the exchange of the instrument whose turn it is has closed. */
  step(timeMs: number): Print | undefined {
    this.#stepFactors(timeMs)
    const i = this.#pick()
    const instrument = this.#instruments[i]
    const { assetClass, symbol } = instrument.instrument
    const keepsHours = assetClass === 'EQUITY' || assetClass === 'ETF'
    const period = this.#sessions.at(timeMs)
    if (keepsHours && !period.isOpen) return undefined
    this.#stepOwn(i, instrument, timeMs)
    const median = instrument.sizeMedian * (1 + this.#heat[i]) * (keepsHours ? busyness(period, timeMs) : 1)
    return { symbol, price: this.#price(i, instrument), size: this.#size(median, instrument.sizeDecimals) }
  }

  #stepFactors(timeMs: number): void {
    const elapsedMs = timeMs - this.#factorsMs
    if (elapsedMs < FACTOR_STEP_MS) return
    this.#factorsMs = timeMs
    const seconds = elapsedMs / 1_000
    this.#market = this.#stepped(this.#market, MARKET_VOLATILITY, seconds)
    for (let i = 0; i < SECTORS.length; i++)
      this.#sectors[i] = this.#stepped(this.#sectors[i], SECTOR_VOLATILITY[SECTORS[i]], seconds)
  }

  #stepOwn(i: number, instrument: SimulatedInstrument, timeMs: number): void {
    const seconds = (timeMs - this.#tradedMs[i]) / 1_000
    this.#tradedMs[i] = timeMs
    this.#own[i] = this.#stepped(this.#own[i], instrument.volatility, seconds)
    this.#heat[i] *= Math.exp(-seconds / HEAT_SECONDS)
    if (this.#random.uniform() >= JUMPS_PER_SECOND * Math.min(seconds, JUMP_WINDOW_SECONDS_MAX)) return
    const scale = instrument.sector === 'FX' || instrument.sector === 'INDEX' ? 0.2 : 1
    const size = (JUMP_MIN + JUMP_DEVIATION * Math.abs(this.#random.gaussian())) * scale
    this.#own[i] += this.#random.uniform() < 0.5 ? -size : size
    this.#heat[i] = JUMP_HEAT
  }

  #stepped(value: number, volatility: number, seconds: number): number {
    const deviation = (volatility * Math.sqrt(seconds)) / SQRT_YEAR_SECONDS
    return value * Math.exp(-REVERSION_PER_SECOND * seconds) + deviation * this.#random.gaussian()
  }

  #pick(): number {
    const shares = this.#shares
    const at = this.#random.uniform() * shares[shares.length - 1]
    let low = 0
    let high = shares.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (shares[middle] > at) high = middle
      else low = middle + 1
    }
    return low
  }

  #price(i: number, instrument: SimulatedInstrument): number {
    const move = instrument.beta * this.#market + this.#sectors[SECTORS.indexOf(instrument.sector)] + this.#own[i]
    const scale = 10 ** instrument.priceDecimals
    return Math.max(1, Math.round(instrument.startPrice * Math.exp(move) * scale)) / scale
  }

  #size(median: number, decimals: number): number {
    const scale = 10 ** decimals
    return Math.max(1, Math.round(median * Math.exp(SIZE_DEVIATION * this.#random.gaussian()) * scale)) / scale
  }
}

function cumulativeShares(instruments: readonly SimulatedInstrument[]): Float64Array {
  let sum = 0
  return Float64Array.from(instruments, ({ activity }) => {
    sum += activity
    return sum
  })
}
