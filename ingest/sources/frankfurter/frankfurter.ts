import { isFxPair, pairOf } from '../../../domain/currencies.ts'
import type { VendorSource } from '../../catalogue.ts'
import { localDate } from '../../exchange-clock.ts'
import { textIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed, FeedAnswer } from '../../polling/feed.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, FrankfurterClient } from './client.ts'
import { NAME, parseRates, type RatesRead } from './parse.ts'

const HOUR_MS = 3_600_000
const HISTORY_MS = 365 * 24 * HOUR_MS

/** Reference rates of the European Central Bank against the euro, of the last year and then each working day's. */
export const frankfurter: VendorSource = {
  name: NAME,
  needs: [],
  open(context) {
    // It publishes no limit; this is politeness.
    const windows = [{ kind: 'sliding', requests: 10, perMs: 60_000 }] as const
    const { quota, http } = openVendorAccess(context, { name: NAME, baseUrl: BASE_URL, windows })
    const client = new FrankfurterClient(http)
    const feedsOf = (symbols: readonly string[]) => [ratesFeed(symbols, client, context.clock.now)]
    return polledSource({ name: NAME, context, quota, feedsOf })
  },
}

function ratesFeed(symbols: readonly string[], client: FrankfurterClient, now: () => number): Feed {
  return {
    name: 'ecb-rates',
    symbols: symbols.filter(isAgainstEuro),
    tellsPrices: true,
    topic: 'economic-data',
    cost: 1,
    // Once a day there is something new, at about four in the afternoon; whoever asks each hour has it within the hour.
    dueMs: (nowMs, lastAskedMs) => (lastAskedMs === undefined ? nowMs : lastAskedMs + HOUR_MS),
    ask: async (cursor, signal) => {
      const from = textIn(cursor, 'newest') ?? localDate(now() - HISTORY_MS, 'utc')
      const read = await client.rates(from, ({ body, receivedAtMs }) => parseRates(body, symbols, receivedAtMs), signal)
      const newest = read.observations.facts.reduce((latest, { date }) => (date > latest ? date : latest), from)
      return { ...answerOf(read), cursor: { newest } }
    },
    reparse: (original) => answerOf(parseRates(original, symbols, now())),
  }
}

function isAgainstEuro(symbol: string): boolean {
  const pair = pairOf(symbol)
  return pair !== undefined && isFxPair(pair) && (pair.base === 'EUR' || pair.quote === 'EUR')
}

function answerOf({ observations, quotes }: RatesRead): Pick<FeedAnswer, 'facts' | 'rejects'> {
  const observed = factsOn('economic-data', observations)
  const quoted = factsOn('stock-quotes', { facts: quotes, rejects: [] })
  return { facts: [...observed.facts, ...quoted.facts], rejects: observed.rejects }
}
