import type { Tick } from '../../../domain/tick.ts'
import type { Fact } from '../../../platform/bus/topics.ts'
import type { FakePrint, StreamedVendorCase } from './streamed-vendor-case.ts'

/** What was heard of a print: all of it as a tick, or no more than its price, as a quote as of its second. */
export interface ToldPrint {
  readonly symbol: string
  readonly price: number
  readonly size: number
  readonly eventTimeMs: number
  readonly source: string
  /** Undefined where it is no tick. */
  readonly position?: number
}

export interface Heard {
  readonly ticks: readonly Tick[]
  readonly facts: readonly Fact[]
}

/** In the order in which they were told. */
export function toldPrints({ tells }: StreamedVendorCase, { ticks, facts }: Heard): readonly ToldPrint[] {
  if (tells !== 'quotes') return ticks
  return facts.flatMap(({ topic, event }) => (topic === 'stock-quotes' ? [{ ...event, size: 0 }] : []))
}

/** As a print of the venue will be known by, once it was told. */
export function nameOfPrinted({ tells }: StreamedVendorCase, print: FakePrint): string {
  if (tells !== 'quotes') return nameOfTold(print)
  return nameOfTold({ ...print, size: 0, eventTimeMs: Math.floor(print.eventTimeMs / 1_000) * 1_000 })
}

export const nameOfTold = ({ symbol, price, size, eventTimeMs }: Omit<ToldPrint, 'source'>): string =>
  `${symbol} ${price} ${size} ${eventTimeMs}`
