import { kraken } from '../../../ingest/sources/kraken/kraken.ts'
import type { FakePrint, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'

const PAGE = 50
const SNAPSHOT = 50

const toldOn = ({ symbol, id, price, size, eventTimeMs }: FakePrint) => ({
  symbol: symbol.replace('-', '/'),
  side: 'buy',
  price,
  qty: size,
  ord_type: 'market',
  trade_id: id,
  timestamp: new Date(eventTimeMs).toISOString().replace('Z', '456Z'),
})

const frameWith = (type: string, data: readonly object[]) => JSON.stringify({ channel: 'trade', type, data })

const fake = (): StreamFake => {
  const bySymbol = new Map<string, FakePrint[]>()
  return {
    converse: (say) => {
      const pairs = new Set<string>()
      say('{"channel":"status","type":"update","data":[{"system":"online","api_version":"v2","version":"2.0.9"}]}')
      return {
        hear: (frame) => {
          const { method, params } = JSON.parse(frame)
          if (method !== 'subscribe') return
          for (const symbol of params.symbol) {
            pairs.add(symbol)
            say(JSON.stringify({ method, result: { channel: 'trade', symbol, snapshot: true }, success: true }))
            const last = bySymbol.get(symbol.replace('/', '-')) ?? []
            if (params.snapshot && last.length > 0) say(frameWith('snapshot', last.toReversed().map(toldOn)))
          }
        },
        frameOf: (print) => {
          const told = toldOn(print)
          return pairs.has(told.symbol) ? frameWith('update', [told]) : undefined
        },
        alive: (tape) => {
          for (const pair of pairs) {
            const symbol = pair.replace('/', '-')
            bySymbol.set(symbol, tape(symbol).slice(-SNAPSHOT))
          }
          return ['{"channel":"heartbeat"}']
        },
      }
    },
    answer: ({ path, query }, tape) => {
      const pair = query.get('pair') ?? ''
      const symbol = ['BTC-USD', 'DOGE-USD', 'ETH-USD'].find(
        (each) => each.replace('BTC', 'XBT').replace('DOGE', 'XDG').replace('-', '') === pair,
      )
      if (symbol === undefined) return { body: { error: ['EQuery:Unknown asset pair'] } }
      if (path !== '/0/public/Trades') return { body: { error: [], result: { [pair]: [], last: 0 } } }
      const since = BigInt(query.get('since') ?? '0')
      const page = tape(symbol)
        .filter(({ eventTimeMs }) => nanosecondsOf(eventTimeMs) > since)
        .slice(0, PAGE)
      const rows = page.map(({ id, price, size, eventTimeMs }) => [
        price.toFixed(5),
        size.toFixed(8),
        eventTimeMs / 1_000 + 0.0004,
        'b',
        'm',
        '',
        id,
      ])
      const last = page.at(-1)
      return {
        body: {
          error: [],
          result: { [pair]: rows, last: last ? String(nanosecondsOf(last.eventTimeMs)) : String(since) },
        },
      }
    },
  }
}

/** Its clock is finer than the milliseconds that it tells. */
const nanosecondsOf = (ms: number) => BigInt(ms) * 1_000_000n + 400_000n

export const krakenCase: StreamedVendorCase = {
  source: kraken,
  variables: {},
  symbols: ['BTC-USD', 'DOGE-USD', 'ETH-USD'],
  numbering: 'trade-id',
  keys: [],
  limits: { attempts: { count: 150, perMs: 600_000 }, messages: { count: 10, perMs: 1_000 }, sockets: 1 },
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 20,
  socketPath: '/v2',
  complaint: '{"error":"Something is not as it should be","method":"nothing"}',
  fake,
}
