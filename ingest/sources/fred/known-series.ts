import type { EconomicSeries, Frequency } from '../../../domain/observation.ts'
import { licenceOfSeries } from './licence.ts'

const SOURCE = 'fred'

const series = (
  seriesId: string,
  title: string,
  unit: string,
  frequency: Frequency,
  seasonallyAdjusted = false,
): EconomicSeries => ({
  seriesId,
  title,
  unit,
  frequency,
  seasonallyAdjusted,
  source: SOURCE,
  licence: licenceOfSeries(seriesId, title, ''),
})

/** What is followed where nobody says otherwise: the numbers that move markets. Without a key there is no other description. */
export const KNOWN_SERIES: readonly EconomicSeries[] = [
  series('DGS10', 'Market Yield on U.S. Treasury Securities at 10-Year Constant Maturity', 'Percent', 'DAILY'),
  series('DGS2', 'Market Yield on U.S. Treasury Securities at 2-Year Constant Maturity', 'Percent', 'DAILY'),
  series('T10Y2Y', '10-Year Treasury Constant Maturity Minus 2-Year Treasury Constant Maturity', 'Percent', 'DAILY'),
  series('DFF', 'Federal Funds Effective Rate', 'Percent', 'DAILY'),
  series('SOFR', 'Secured Overnight Financing Rate', 'Percent', 'DAILY'),
  series('CPIAUCSL', 'Consumer Price Index for All Urban Consumers: All Items', 'Index 1982-1984=100', 'MONTHLY', true),
  series('CPILFESL', 'Consumer Price Index: All Items Less Food and Energy', 'Index 1982-1984=100', 'MONTHLY', true),
  series('UNRATE', 'Unemployment Rate', 'Percent', 'MONTHLY', true),
  series('PAYEMS', 'All Employees, Total Nonfarm', 'Thousands of Persons', 'MONTHLY', true),
  series('GDPC1', 'Real Gross Domestic Product', 'Billions of Chained 2017 Dollars', 'QUARTERLY', true),
  series('VIXCLS', 'CBOE Volatility Index: VIX', 'Index', 'DAILY'),
  series('DTWEXBGS', 'Nominal Broad U.S. Dollar Index', 'Index Jan 2006=100', 'DAILY'),
  series('BAMLH0A0HYM2', 'ICE BofA US High Yield Index Option-Adjusted Spread', 'Percent', 'DAILY'),
  series('DCOILWTICO', 'Crude Oil Prices: West Texas Intermediate (WTI)', 'Dollars per Barrel', 'DAILY'),
]
