import type { AssetClass, Instrument } from './instrument.ts'

const listed =
  (assetClass: AssetClass, exchange: string) =>
  (symbol: string, name: string): Instrument => ({ symbol, name, exchange, currency: 'USD', assetClass })

const nasdaq = listed('EQUITY', 'XNAS')
const nyse = listed('EQUITY', 'XNYS')
const arcaFund = listed('ETF', 'ARCX')
const nasdaqFund = listed('ETF', 'XNAS')
const coin = listed('CRYPTO', '')
const currencyPair = listed('FX', '')

/** Described before anybody trades them: what a new installation lists, and what the simulation plays. */
export const KNOWN_INSTRUMENTS: readonly Instrument[] = [
  arcaFund('SPY', 'SPDR S&P 500 ETF Trust'),
  nasdaqFund('QQQ', 'Invesco QQQ Trust'),
  arcaFund('DIA', 'SPDR Dow Jones Industrial Average ETF Trust'),
  arcaFund('IWM', 'iShares Russell 2000 ETF'),
  nasdaq('AAPL', 'Apple Inc.'),
  nasdaq('MSFT', 'Microsoft Corporation'),
  nasdaq('NVDA', 'NVIDIA Corporation'),
  nasdaq('AMZN', 'Amazon.com, Inc.'),
  nasdaq('GOOGL', 'Alphabet Inc. Class A'),
  nasdaq('META', 'Meta Platforms, Inc.'),
  nasdaq('TSLA', 'Tesla, Inc.'),
  nasdaq('AMD', 'Advanced Micro Devices, Inc.'),
  nasdaq('INTC', 'Intel Corporation'),
  nasdaq('NFLX', 'Netflix, Inc.'),
  nasdaq('WMT', 'Walmart Inc.'),
  nyse('IBM', 'International Business Machines Corporation'),
  nyse('JPM', 'JPMorgan Chase & Co.'),
  nyse('BAC', 'Bank of America Corporation'),
  nyse('GS', 'The Goldman Sachs Group, Inc.'),
  nyse('AIG', 'American International Group, Inc.'),
  nyse('BRK.B', 'Berkshire Hathaway Inc. Class B'),
  nyse('V', 'Visa Inc.'),
  nyse('MA', 'Mastercard Incorporated'),
  nyse('XOM', 'Exxon Mobil Corporation'),
  nyse('CVX', 'Chevron Corporation'),
  nyse('JNJ', 'Johnson & Johnson'),
  nyse('UNH', 'UnitedHealth Group Incorporated'),
  nyse('PFE', 'Pfizer Inc.'),
  nyse('PG', 'The Procter & Gamble Company'),
  nyse('KO', 'The Coca-Cola Company'),
  nyse('HD', 'The Home Depot, Inc.'),
  nyse('DIS', 'The Walt Disney Company'),
  nyse('BA', 'The Boeing Company'),
  coin('BTC-USD', 'Bitcoin'),
  coin('ETH-USD', 'Ethereum'),
  coin('SOL-USD', 'Solana'),
  currencyPair('EUR-USD', 'Euro / US Dollar'),
]
