import { PlatformError } from '../../../domain/errors.ts'
import { symbolOf } from '../../../domain/instrument.ts'
import { localTimeMs, NEW_YORK } from '../../exchange-clock.ts'
import { oneLine } from '../../plain-text.ts'
import { textIn, type XmlElement } from '../../xml-answer.ts'

const PAGE = 'https://www.nasdaqtrader.com/trader.aspx?id=TradeHalts'
const REASON_LENGTH_MAX = 20
const NAME_LENGTH_MAX = 200

/** Why trading halts, by the codes of Nasdaq. */
const REASONS: Readonly<Record<string, string>> = {
  T1: 'news pending',
  T2: 'news released',
  T5: 'single stock trading pause',
  T6: 'extraordinary market activity',
  T8: 'exchange traded fund halted',
  T12: 'additional information requested',
  H4: 'non-compliance',
  H9: 'filings not current',
  H10: 'suspended by the SEC',
  H11: 'regulatory concern',
  LUDP: 'volatility pause',
  LUDS: 'volatility pause, straddle condition',
  M: 'volatility pause',
  MWC1: 'market-wide circuit breaker, level 1',
  MWC2: 'market-wide circuit breaker, level 2',
  MWC3: 'market-wide circuit breaker, level 3',
  IPO1: 'new listing not yet trading',
}

/**
 * What an item of Nasdaq's list of halts says; undefined where it is none. Once the time of resumption is known, that is news
 * of its own. @throws INVALID_EVENT
 */
export function haltIn(item: XmlElement) {
  const issue = textIn(item, 'ndaq:IssueSymbol')
  if (issue === undefined) return undefined
  const symbol = symbolIn(issue)
  const haltedAtMs = timeIn(item, 'ndaq:HaltDate', 'ndaq:HaltTime')
  if (haltedAtMs === undefined)
    throw new PlatformError('INVALID_EVENT', 'HaltDate and HaltTime must be like 11/20/2026 and 10:11:12')
  const code = oneLine(textIn(item, 'ndaq:ReasonCode') ?? '', REASON_LENGTH_MAX)
  const reason = Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : code || 'no reason told'
  const name = oneLine(textIn(item, 'ndaq:IssueName') ?? symbol, NAME_LENGTH_MAX)
  const resumption = oneLine(textIn(item, 'ndaq:ResumptionTradeTime') ?? '', REASON_LENGTH_MAX)
  const told = `rss:halt:${symbol}:${haltedAtMs}`
  return {
    id: resumption === '' ? told : `${told}:resumes`,
    kind: 'TRADING_HALT' as const,
    headline:
      resumption === '' ? `${symbol} halted: ${reason}` : `${symbol} to resume trading at ${resumption} ET: ${reason}`,
    summary: name,
    url: PAGE,
    publishedAtMs: haltedAtMs,
    symbols: [symbol],
  }
}

function symbolIn(issue: string): string {
  try {
    return symbolOf(issue)
  } catch (cause) {
    throw new PlatformError('INVALID_EVENT', `IssueSymbol is none: ${JSON.stringify(issue.slice(0, 30))}`, { cause })
  }
}

/** In New York. */
function timeIn(item: XmlElement, dateName: string, timeName: string): number | undefined {
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(textIn(item, dateName) ?? '') ?? []
  const time = /^\d{2}:\d{2}:\d{2}(\.\d{1,6})?$/.exec(textIn(item, timeName) ?? '')?.[0]
  return year === undefined || time === undefined ? undefined : localTimeMs(`${year}-${month}-${day}`, time, NEW_YORK)
}
