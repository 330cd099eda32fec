import { binance } from '../../../ingest/sources/binance/binance.ts'
import type { FakePrint, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'

const PAGE = 50
const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT']

const told = ({ id, price, size, eventTimeMs }: FakePrint) => ({
  a: id,
  p: price.toFixed(2),
  q: size.toFixed(4),
  f: id * 2,
  l: id * 2 + 1,
  T: eventTimeMs,
  m: true,
  M: true,
})

const fake = (): StreamFake => ({
  converse: (say) => {
    const streams = new Set<string>()
    return {
      hear: (frame) => {
        const { method, params, id } = JSON.parse(frame)
        if (method !== 'SUBSCRIBE') return
        for (const stream of params) streams.add(stream)
        say(JSON.stringify({ result: null, id }))
      },
      frameOf: (print) => {
        const s = print.symbol.replace('-', '')
        const stream = `${s.toLowerCase()}@aggTrade`
        if (!streams.has(stream)) return undefined
        return JSON.stringify({ stream, data: { e: 'aggTrade', E: print.eventTimeMs + 1, s, ...told(print) } })
      },
    }
  },
  answer: ({ path, query }, tape) => {
    const symbol = SYMBOLS.find((each) => each.replace('-', '') === query.get('symbol'))
    if (symbol === undefined) return { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } }
    if (path !== '/api/v3/aggTrades') return { body: [] }
    const fromId = Number(query.get('fromId'))
    const page = tape(symbol).filter(({ id }) => id >= fromId)
    return { body: page.slice(0, PAGE).map(told) }
  },
})

export const binanceCase: StreamedVendorCase = {
  source: binance,
  variables: {},
  symbols: SYMBOLS,
  numbering: 'trade-id',
  keys: [],
  limits: { attempts: { count: 300, perMs: 300_000 }, messages: { count: 5, perMs: 1_000 }, sockets: 2 },
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 50,
  socketPath: '',
  complaint: '{"error":{"code":2,"msg":"Invalid request"},"id":9}',
  fake,
}
