import { coinbase } from '../../../ingest/sources/coinbase/coinbase.ts'
import type { FakePrint, StreamedVendorCase, StreamFake } from './streamed-vendor-case.ts'

const PAGE = 50

const told = ({ symbol, id, price, size, eventTimeMs }: FakePrint) => ({
  trade_id: id,
  side: 'sell',
  size: size.toFixed(8),
  price: price.toFixed(2),
  time: new Date(eventTimeMs).toISOString().replace('Z', '000Z'),
  product_id: symbol,
})

const fake = (): StreamFake => ({
  converse: (say) => {
    const products = new Set<string>()
    return {
      hear: (frame) => {
        const { type, product_ids, channels } = JSON.parse(frame)
        if (type !== 'subscribe') return
        for (const product of product_ids) products.add(product)
        say(
          JSON.stringify({ type: 'subscriptions', channels: channels.map((name: string) => ({ name, product_ids })) }),
        )
      },
      frameOf: (print) =>
        products.has(print.symbol)
          ? JSON.stringify({ type: 'match', sequence: print.id * 7, ...told(print) })
          : undefined,
      alive: (tape) =>
        [...products].map((product_id) => {
          const last = tape(product_id).at(-1)
          return JSON.stringify({ type: 'heartbeat', sequence: 1, last_trade_id: last?.id ?? 0, product_id })
        }),
    }
  },
  answer: ({ path, query }, tape) => {
    const [, product = '', what] = /^\/products\/([^/]+)\/(\w+)$/.exec(path) ?? []
    if (what === 'candles') return { body: [] }
    if (what !== 'trades') return { status: 404, body: { message: 'NotFound' } }
    const after = Number(query.get('after') ?? Number.POSITIVE_INFINITY)
    const older = tape(product).filter(({ id }) => id < after)
    return { body: older.toReversed().slice(0, PAGE).map(told) }
  },
})

export const coinbaseCase: StreamedVendorCase = {
  source: coinbase,
  variables: {},
  symbols: ['BTC-USD', 'ETH-USD', 'SOL-USD'],
  numbering: 'trade-id',
  keys: [],
  limits: { attempts: { count: 60, perMs: 60_000 }, messages: { count: 100, perMs: 1_000 }, sockets: 1 },
  startMs: Date.parse('2026-11-20T15:00:00Z'),
  timesFaster: 20,
  socketPath: '',
  complaint: '{"type":"error","message":"Something went wrong","reason":"nobody knows"}',
  fake,
}
