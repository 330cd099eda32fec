import { z } from 'zod'
import { type Observation, observation } from '../../../domain/observation.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { localTimeMs } from '../../exchange-clock.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'

export const NAME = 'frankfurter'
const { title, licence } = VENDORS[NAME]

/** The ECB asks at 14:15 and publishes at about 16:00, both in Frankfurt. */
const PUBLISHED_AT = '16:00'
const ZONE = 'Europe/Berlin'

const RATE = z.object({
  date: z.string(),
  base: z.string().regex(/^[A-Z]{3}$/),
  quote: z.string().regex(/^[A-Z]{3}$/),
  rate: z.number().positive(),
})
type Rate = z.infer<typeof RATE>

export interface RatesRead {
  readonly observations: ItemsRead<Observation>
  /** The newest rate of each pair that is an instrument. */
  readonly quotes: readonly QuoteSnapshot[]
}

/**
 * `/v2/rates`: one row a day and currency, how much of `quote` one `base` buys. `pairs` are the platform's symbols to make
 * quotes of, `EUR-USD` or, of a pair that starts with the other currency, its inverse `USD-EUR`.
 */
export function parseRates(body: Buffer, pairs: readonly string[], ingestTimeMs: number): RatesRead {
  const answer = new JsonAnswer(title, body)
  const list = answer.as(z.array(z.unknown()))
  const newest = new Map<string, QuoteSnapshot>()
  const observations = answer.items(list, {
    where: '',
    schema: RATE,
    alone: (item) => [item],
    read: (rate) => {
      if (rate.base === rate.quote) return undefined
      const told = observationOf(rate, ingestTimeMs)
      for (const quote of quotesOf(rate, pairs, told.releasedAtMs, ingestTimeMs)) {
        const before = newest.get(quote.symbol)
        if (!before || before.eventTimeMs < quote.eventTimeMs) newest.set(quote.symbol, quote)
      }
      return told
    },
  })
  return { observations, quotes: [...newest.values()] }
}

function observationOf({ date, base, quote, rate }: Rate, ingestTimeMs: number): Observation {
  return observation({
    series: {
      seriesId: `ECB.${base}${quote}`,
      title: `Reference rate: ${quote} for one ${base}`,
      unit: `${quote} per ${base}`,
      frequency: 'DAILY',
      seasonallyAdjusted: false,
      source: NAME,
      licence,
    },
    date,
    value: rate,
    // Reference rates are not revised: each was known from its own day on.
    vintage: date,
    releasedAtMs: localTimeMs(date, PUBLISHED_AT, ZONE) ?? Number.NaN,
    ingestTimeMs,
  })
}

function quotesOf({ base, quote, rate }: Rate, pairs: readonly string[], asOfMs: number, ingestTimeMs: number) {
  const prices = [
    [`${base}-${quote}`, rate],
    [`${quote}-${base}`, 1 / rate],
  ] as const
  return prices
    .filter(([symbol]) => pairs.includes(symbol))
    .map(([symbol, price]) =>
      quoteSnapshot({
        symbol,
        source: NAME,
        licence,
        price,
        previousClose: null,
        dayVolume: null,
        // Some days it is published a few minutes early.
        eventTimeMs: Math.min(asOfMs, ingestTimeMs),
        ingestTimeMs,
        delayed: true,
      }),
    )
}
