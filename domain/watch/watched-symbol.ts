import type { DataQualityKind } from '../data-quality.ts'
import { type Market, marketOf } from '../trading-hours.ts'
import { type Apart, agree, judgeApart } from './apart.ts'
import { NEVER_MS } from './average.ts'
import { clockOf, type HeardClock, heardMs } from './heard-clock.ts'
import { type Jump, judgeMove } from './jump.ts'
import { judgeOrder } from './order.ts'
import { GAP_MS_MIN, judgeQuiet, learnGap, type Quiet } from './quiet.ts'

/** Sources of one symbol that are remembered; of more, the one that has been quiet for longest is forgotten. */
export const SOURCES_OF_SYMBOL_MAX = 8

/** What is remembered of one symbol at one source: some numbers, whatever it tells. Changed in place, print by print. */
export interface WatchedSource {
  readonly source: string
  /** Whose clock it goes by. */
  readonly clock: string
  price: number
  /** The newest event time. */
  newestMs: number
  lateRun: number
  lateToldMs: number
  moves: number
  usualMove: number
  jumpToldMs: number
  prints: number
  gaps: number
  usualGapMs: number
  heardMs: number
  isStale: boolean
  staleToldMs: number
  usualApart: number
  comparedMs: number
  apartSinceMs: number
  isApart: boolean
  apartToldMs: number
}

/** One symbol at all the sources that tell it. */
export interface WatchedSymbol {
  readonly symbol: string
  readonly market: Market
  readonly sources: WatchedSource[]
}

export const watchedSymbol = (symbol: string): WatchedSymbol => ({ symbol, market: marketOf(symbol), sources: [] })

/** Something to tell, or that is counted only because the same was told a moment ago. */
export interface Finding {
  readonly kind: DataQualityKind
  readonly source: string
  readonly symbol: string
  readonly eventTimeMs: number
  readonly detail: string
  readonly isSuppressed: boolean
}

export const sourceOf = ({ sources }: WatchedSymbol, source: string): WatchedSource | undefined => {
  for (let i = 0; i < sources.length; i++) if (sources[i].source === source) return sources[i]
  return undefined
}

/** The first print of the symbol at the source. Judges nothing. */
export function firstPrint(
  watched: WatchedSymbol,
  source: string,
  price: number,
  eventTimeMs: number,
  clock: HeardClock,
): void {
  const { sources, market } = watched
  if (sources.length >= SOURCES_OF_SYMBOL_MAX) forgetOne(sources)
  sources.push({
    source,
    clock: clockOf(source),
    price,
    newestMs: eventTimeMs,
    lateRun: 0,
    lateToldMs: NEVER_MS,
    moves: 0,
    usualMove: 0,
    jumpToldMs: NEVER_MS,
    prints: 1,
    gaps: 0,
    usualGapMs: GAP_MS_MIN,
    heardMs: heardMs(clock, market),
    isStale: false,
    staleToldMs: NEVER_MS,
    usualApart: 0,
    comparedMs: eventTimeMs,
    apartSinceMs: NEVER_MS,
    isApart: false,
    apartToldMs: NEVER_MS,
  })
}

/** Every later one. Its source's clock has passed it already. */
export function judgePrint(
  watched: WatchedSymbol,
  own: WatchedSource,
  price: number,
  eventTimeMs: number,
  clock: HeardClock,
  found: Finding[],
): void {
  const { symbol, market, sources } = watched
  const order = judgeOrder(own, eventTimeMs)
  if (order !== 'in order') {
    if (order === 'restart') forgetTime(own, price, eventTimeMs)
    else found.push(outOfOrder(symbol, own, eventTimeMs, order === 'late, not told'))
    return
  }
  const jump = judgeMove(own, price, eventTimeMs)
  if (jump) found.push(jumped(symbol, own, price, eventTimeMs, jump))
  learnGap(own, market, eventTimeMs, heardMs(clock, market))
  own.price = price
  if (eventTimeMs > own.newestMs) own.newestMs = eventTimeMs
  if (sources.length < 2) return
  const apart = judgeApart(own, sources)
  if (apart) found.push(disagreed(symbol, own, apart))
}

/** The clock has moved on: who of the symbol's sources that go by it has been quiet for too long. Answers whether any has. */
export function judgeSilence(watched: WatchedSymbol, name: string, clock: HeardClock, found: Finding[]): boolean {
  let anyone = false
  for (const own of watched.sources) {
    if (own.clock !== name) continue
    const quiet = judgeQuiet(own, heardMs(clock, watched.market))
    if (!quiet) continue
    anyone = true
    found.push(stale(watched.symbol, own, quiet))
  }
  return anyone
}

export const newestMsOf = ({ sources }: WatchedSymbol): number =>
  sources.reduce((newest, own) => Math.max(newest, own.newestMs), NEVER_MS)

function forgetOne(sources: WatchedSource[]): void {
  let oldest = 0
  for (let i = 1; i < sources.length; i++) if (sources[i].newestMs < sources[oldest].newestMs) oldest = i
  sources.splice(oldest, 1)
  for (const left of sources) agree(left)
}

/** Its newest event time was wrong. What was told of the time that never was must not keep silent what comes. */
function forgetTime(own: WatchedSource, price: number, eventTimeMs: number): void {
  own.price = price
  own.newestMs = eventTimeMs
  own.comparedMs = eventTimeMs
  own.lateRun = 0
  own.lateToldMs = NEVER_MS
  own.jumpToldMs = NEVER_MS
  own.staleToldMs = NEVER_MS
  own.apartToldMs = NEVER_MS
  agree(own)
}

const outOfOrder = (symbol: string, own: WatchedSource, eventTimeMs: number, isSuppressed: boolean): Finding => ({
  kind: 'OUT_OF_ORDER',
  source: own.source,
  symbol,
  eventTimeMs,
  detail: `A print of ${symbol} came ${seconds(own.newestMs - eventTimeMs)} s after a newer one of ${named(own.source)}.`,
  isSuppressed,
})

const jumped = (symbol: string, own: WatchedSource, price: number, eventTimeMs: number, jump: Jump): Finding => ({
  kind: 'JUMP',
  source: own.source,
  symbol,
  eventTimeMs,
  detail: `The price moved by ${percent(Math.expm1(jump.move))} % from ${jump.fromPrice} to ${price} from one print to the next, ${Math.round(Math.abs(jump.move) / jump.usual)} times as much as usual.`,
  isSuppressed: jump.isSuppressed,
})

const stale = (symbol: string, own: WatchedSource, { allowedMs, isSuppressed }: Quiet): Finding => ({
  kind: 'STALE_SYMBOL',
  source: own.source,
  symbol,
  eventTimeMs: own.newestMs,
  detail: `${named(own.source)} has told no print of ${symbol} for more than ${seconds(allowedMs)} s while it told others; there usually is one every ${seconds(own.usualGapMs)} s or sooner.`,
  isSuppressed,
})

const disagreed = (symbol: string, own: WatchedSource, apart: Apart<WatchedSource>): Finding => ({
  kind: 'VENUE_DISAGREEMENT',
  source: own.source,
  symbol,
  eventTimeMs: apart.sinceMs,
  detail: `${named(own.source)} told ${own.price} while ${named(apart.other.source)} told ${apart.other.price}: ${percent(Math.expm1(apart.apart))} % apart for ${seconds(own.newestMs - apart.sinceMs)} s; up to ${percent(Math.expm1(apart.bound))} % is usual.`,
  isSuppressed: apart.isSuppressed,
})

/** A source may have a name of any length, a detail may not. */
const named = (source: string): string => (source.length > 100 ? `${source.slice(0, 100)}…` : source)
const seconds = (ms: number): number => Number((ms / 1_000).toPrecision(3))
const percent = (share: number): number => Number((100 * share).toPrecision(3))
