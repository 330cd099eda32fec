// Subscribes to ticks over graphql-transport-ws and tells its parent how many results have come.
//   subscriber URL SYMBOL,… TOLD_EVERY
import { WebSocket } from 'ws'

const [url, symbols, toldEvery] = process.argv.slice(2)

const socket = new WebSocket(url, 'graphql-transport-ws')
socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })))
let results = 0
socket.on('message', (message) => {
  const { type, payload } = JSON.parse(String(message))
  if (type === 'connection_ack') {
    const query = 'subscription ($symbols: [ID!]!) { ticks(symbols: $symbols) { symbol price size } }'
    const variables = { symbols: symbols.split(',') }
    socket.send(JSON.stringify({ id: 'ticks', type: 'subscribe', payload: { query, variables } }))
  } else if (type === 'next' && payload.data && ++results % Number(toldEvery) === 0) process.send?.(results)
  else if (type !== 'next') throw new Error(String(message))
})
process.once('disconnect', () => process.exit(0))
