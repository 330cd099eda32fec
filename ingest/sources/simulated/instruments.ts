import { type Instrument, undescribed } from '../../../domain/instrument.ts'
import { SEED_INSTRUMENTS } from '../../../platform/store/instrument-seed.ts'

/** What moves together: each sector has a walk of its own that its instruments follow besides the market's. */
export const SECTORS = ['INDEX', 'TECH', 'FINANCE', 'CONSUMER', 'HEALTH', 'ENERGY', 'INDUSTRY', 'CRYPTO', 'FX'] as const
export type Sector = (typeof SECTORS)[number]

/** How an instrument behaves. Volatilities are annual deviations of the logarithm: 0.2 is 20 % a year. */
export interface Behaviour {
  readonly startPrice: number
  readonly sector: Sector
  /** How much of the market's move it follows. */
  readonly beta: number
  /** Its own part, besides market and sector. */
  readonly volatility: number
  /** Its share of the ticks, against the other instruments' shares. */
  readonly activity: number
  readonly sizeMedian: number
  readonly priceDecimals: number
  readonly sizeDecimals: number
}

export interface SimulatedInstrument extends Behaviour {
  readonly instrument: Instrument
}

export const MARKET_VOLATILITY = 0.15
export const SECTOR_VOLATILITY: { readonly [S in Sector]: number } = {
  INDEX: 0.02,
  TECH: 0.14,
  FINANCE: 0.1,
  CONSUMER: 0.08,
  HEALTH: 0.1,
  ENERGY: 0.18,
  INDUSTRY: 0.1,
  CRYPTO: 0.45,
  FX: 0.05,
}

const share =
  (sector: Sector) =>
  (startPrice: number, beta: number, volatility: number, activity: number): Behaviour => ({
    startPrice,
    sector,
    beta,
    volatility,
    activity,
    sizeMedian: 100,
    priceDecimals: 2,
    sizeDecimals: 0,
  })

const index = share('INDEX')
const tech = share('TECH')
const finance = share('FINANCE')
const consumer = share('CONSUMER')
const health = share('HEALTH')
const energy = share('ENERGY')
const industry = share('INDUSTRY')

const coin = (startPrice: number, volatility: number, activity: number, sizeMedian: number): Behaviour => ({
  startPrice,
  sector: 'CRYPTO',
  beta: 0.8,
  volatility,
  activity,
  sizeMedian,
  priceDecimals: 2,
  sizeDecimals: 6,
})

/** Start prices are of the right order, no more: the simulation is not a record of any day. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  SPY: index(670, 1, 0.005, 10),
  QQQ: index(610, 1.2, 0.02, 8),
  DIA: index(470, 0.9, 0.02, 2),
  IWM: index(245, 1.15, 0.06, 3),
  AAPL: tech(270, 1.1, 0.16, 6),
  MSFT: tech(510, 1.0, 0.14, 4),
  NVDA: tech(185, 1.7, 0.28, 9),
  AMZN: tech(230, 1.2, 0.18, 4),
  GOOGL: tech(285, 1.1, 0.18, 4),
  META: tech(620, 1.2, 0.22, 3),
  TSLA: consumer(410, 1.9, 0.45, 8),
  AMD: tech(240, 1.8, 0.35, 4),
  INTC: tech(37, 1.3, 0.35, 3),
  NFLX: tech(112, 1.1, 0.25, 2),
  WMT: consumer(103, 0.6, 0.12, 2),
  IBM: tech(305, 0.7, 0.15, 1),
  JPM: finance(310, 1.1, 0.12, 2),
  BAC: finance(53, 1.3, 0.14, 3),
  GS: finance(800, 1.3, 0.14, 1),
  AIG: finance(78, 0.8, 0.16, 1),
  'BRK.B': finance(505, 0.7, 0.08, 1),
  V: finance(335, 0.9, 0.1, 1),
  MA: finance(545, 0.9, 0.1, 1),
  XOM: energy(117, 0.6, 0.1, 2),
  CVX: energy(155, 0.6, 0.1, 1),
  JNJ: health(195, 0.4, 0.1, 1),
  UNH: health(325, 0.6, 0.25, 1),
  PFE: health(25, 0.5, 0.15, 2),
  PG: consumer(147, 0.4, 0.1, 1),
  KO: consumer(71, 0.4, 0.08, 1),
  HD: consumer(370, 0.9, 0.12, 1),
  DIS: consumer(110, 1.1, 0.18, 1),
  BA: industry(195, 1.2, 0.25, 1),
  'BTC-USD': coin(95_000, 0.15, 5, 0.02),
  'ETH-USD': coin(3_100, 0.3, 4, 0.4),
  'SOL-USD': coin(140, 0.5, 3, 8),
  'EUR-USD': {
    startPrice: 1.155,
    sector: 'FX',
    beta: 0.05,
    volatility: 0.04,
    activity: 3,
    sizeMedian: 50_000,
    priceDecimals: 5,
    sizeDecimals: 0,
  },
}

const SEED_BY_SYMBOL = new Map(SEED_INSTRUMENTS.map((instrument) => [instrument.symbol, instrument]))

/** What the simulation plays, in the order of above; a test says that our list describes each of them. */
export const SIMULATED_INSTRUMENTS: readonly SimulatedInstrument[] = Object.entries(BEHAVIOURS).map(
  ([symbol, behaviour]) => ({ instrument: SEED_BY_SYMBOL.get(symbol) ?? undescribed(symbol), ...behaviour }),
)
