import { alpacaStreamCase } from './alpaca.ts'
import { binanceCase } from './binance.ts'
import { coinbaseCase } from './coinbase.ts'
import { finnhubStreamCase } from './finnhub.ts'
import { krakenCase } from './kraken.ts'
import { madeUpStream } from './made-up-stream.ts'
import { polygonStreamCase } from './polygon.ts'
import type { StreamedVendorCase } from './streamed-vendor-case.ts'
import { twelveDataStreamCase } from './twelve-data.ts'

/** Every streaming vendor that the contract suite listens to. One line each. */
export const STREAMED_VENDORS: Readonly<Record<string, StreamedVendorCase>> = {
  'made-up': madeUpStream,
  coinbase: coinbaseCase,
  kraken: krakenCase,
  binance: binanceCase,
  finnhub: finnhubStreamCase,
  'twelve-data': twelveDataStreamCase,
  alpaca: alpacaStreamCase,
  polygon: polygonStreamCase,
}
