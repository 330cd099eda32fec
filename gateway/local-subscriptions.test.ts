import { makeExecutableSchema } from '@graphql-tools/schema'
import { type ExecutionResult, parse, subscribe } from 'graphql'
import { describe, expect, test } from 'vitest'
import { PlatformError } from '../domain/errors.ts'
import { DateTime } from '../platform/graphql/date-time.ts'
import { publicError } from '../platform/graphql/public-error.ts'
import { silentLog } from '../platform/log.ts'
import { BoundedStream } from './bounded-stream.ts'
import { compose } from './compose.ts'
import { LocalSubscriptions } from './local-subscriptions.ts'

const SDL = `
  scalar DateTime
  type Query { trades: [Trade!] }
  type Subscription { trades(symbols: [ID!]!, side: Side = BUY): Trade }
  enum Side { BUY SELL }
  interface Priced { price: Float! }
  type Trade implements Priced {
    symbol: ID! price: Float! time: DateTime! side: Side noted(text: String! = "none", tags: [String!], at: DateTime): String
    refused: String unpriced: Float! venue: Venue venues: [Venue!]! later: Int huge: Int
  }
  type Venue implements Priced { code: String! price: Float! closed: String! }
`
const OTHER = 'type Query { weather: String } type Subscription { weather: String }'

const trade = (price: number) => ({ symbol: 'AAPL', price, time: new Date(1_000), side: 2 })

/** A subgraph whose events the test hands in. */
function subgraph(events: AsyncIterable<unknown> = stream(trade(1), trade(2))) {
  const schema = makeExecutableSchema({
    typeDefs: SDL,
    resolvers: {
      DateTime,
      Side: { BUY: 1, SELL: 2 },
      Priced: { __resolveType: () => 'Trade' },
      Subscription: {
        trades: {
          subscribe: (_root: unknown, { symbols, side }: { symbols: string[]; side: number }) => {
            if (symbols.length === 0) throw new PlatformError('INVALID_ARGUMENT', `Expected symbols, on side ${side}`)
            return events
          },
          resolve: (event: unknown) => event,
        },
      },
      Trade: {
        noted: (_trade: unknown, given: object) => JSON.stringify(given),
        refused: () => {
          throw new PlatformError('UNKNOWN_SYMBOL', 'No such symbol')
        },
        unpriced: () => null,
        venue: async () => ({ code: 'XNYS', price: 3 }),
        venues: () => [Promise.resolve({ code: 'XNAS', price: 3 }), { code: 'XNYS', price: 4 }],
        later: async () => 7,
        huge: () => 2 ** 40,
      },
      Venue: {
        closed: async ({ code }: { code: string }) => {
          if (code === 'XNYS') throw new Error('a secret')
          return 'never'
        },
      },
    },
  })
  const places = {
    market: { kind: 'local', sdl: SDL, schema },
    weather: { kind: 'remote', sdl: OTHER, url: 'http://127.0.0.1:9/graphql' },
  } as const
  const { supergraph } = compose(Object.entries(places).map(([name, { sdl }]) => ({ name, sdl })))
  return { schema, local: new LocalSubscriptions(places, supergraph) }
}

function stream(...events: unknown[]): BoundedStream {
  const opened = new BoundedStream({ limit: 10, onDropped: () => undefined, onLeave: () => undefined })
  for (const event of events) opened.push(event as ExecutionResult)
  opened.end()
  return opened
}

/** What each event comes to, with errors as a client would see them. */
async function resultsOf(started: AsyncIterable<ExecutionResult> | ExecutionResult | undefined): Promise<unknown> {
  if (!started) return 'takes a plan'
  const presentable = ({ data, errors }: ExecutionResult) => {
    const masked = errors?.map((error) => {
      const { message, path, extensions } = publicError(error, silentLog)
      return { path, code: extensions.code, ...(extensions.code !== 'INTERNAL_SERVER_ERROR' && { message }) }
    })
    return JSON.parse(JSON.stringify({ data, masked }))
  }
  if (!(Symbol.asyncIterator in started)) return presentable(started)
  const results = []
  for await (const result of started) results.push(presentable(result))
  return results
}

describe('A subscription of one subgraph in this process answers what graphql-js answers', () => {
  const AWKWARD = String.raw`"\"'${'`'}\\\n\u2028 ${'$'}{process.exit(1)} */ // </script>"`
  test.each<[what: string, query: string, variables?: Record<string, unknown>]>([
    ['fields and aliases', 'subscription { trades(symbols: ["AAPL"]) { symbol p: price at: time __typename } }'],
    ['an enum with values of its own', 'subscription { trades(symbols: ["AAPL"]) { side } }'],
    [
      'fields that come later',
      'subscription { trades(symbols: ["AAPL"]) { later venue { code } venues { code price } } }',
    ],
    [
      'variables',
      'subscription ($s: [ID!]!, $t: String!) { trades(symbols: $s) { noted(text: $t, tags: ["a", $t]) } }',
      { s: ['AAPL'], t: 'hear, hear' },
    ],
    ['a variable left out', 'subscription ($t: [String!]) { trades(symbols: ["AAPL"]) { noted(tags: $t) } }', {}],
    [
      'the default of a variable',
      'subscription ($t: String! = "usual") { trades(symbols: ["AAPL"]) { noted(text: $t) } }',
    ],
    [
      'a variable that is given in place of its default',
      'subscription ($t: String! = "usual", $s: [ID!]! = ["AAPL"]) { trades(symbols: $s) { noted(text: $t) } }',
      { t: 'special' },
    ],
    [
      'a variable that may not be null and is',
      'subscription ($t: String! = "usual") { trades(symbols: ["AAPL"]) { noted(text: $t) } }',
      { t: null },
    ],
    ['one symbol in place of a list', 'subscription { trades(symbols: "AAPL") { symbol } }'],
    [
      'fragments',
      'subscription { trades(symbols: ["AAPL"]) { ...A ... on Priced { price } } } fragment A on Trade { symbol venue { ...B } } fragment B on Venue { code }',
    ],
    [
      'what is skipped and included',
      'subscription ($yes: Boolean!, $no: Boolean!) { trades(symbols: ["AAPL"]) { symbol @skip(if: $yes) price @include(if: $no) time @skip(if: $no) side @include(if: $yes) } }',
      { yes: true, no: false },
    ],
    ['a text that looks like code', `subscription { trades(symbols: ["AAPL"]) { noted(text: ${AWKWARD}) } }`],
    ['a field that is refused', 'subscription { trades(symbols: ["AAPL"]) { symbol refused } }'],
    [
      'a field that fails in a field that may be missing',
      'subscription { trades(symbols: ["AAPL"]) { symbol venue { code closed } } }',
    ],
    ['nothing where there must be something', 'subscription { trades(symbols: ["AAPL"]) { symbol unpriced } }'],
    [
      'a failure in a list of what must not be missing',
      'subscription { trades(symbols: ["AAPL"]) { symbol venues { code closed } } }',
    ],
    ['a number that does not fit', 'subscription { trades(symbols: ["AAPL"]) { symbol huge } }'],
    [
      'times in arguments',
      'subscription ($t: DateTime) { trades(symbols: ["AAPL"]) { a: noted(at: "2013-10-07T13:30:00Z") b: noted(at: $t) } }',
      { t: '2013-10-07T09:30:00-04:00' },
    ],
    ['a refusal to begin', 'subscription { trades(symbols: []) { symbol } }'],
    [
      'one of several operations',
      'subscription Wanted { trades(symbols: ["AAPL"]) { price } } subscription Other { trades(symbols: []) { symbol } }',
    ],
  ])('%s', async (_what, query, variableValues) => {
    const document = parse(query)
    const operationName = query.includes('Wanted') ? 'Wanted' : undefined
    const compiled = subgraph()
    const plain = subgraph()
    const expected = await resultsOf(await subscribe({ schema: plain.schema, document, variableValues, operationName }))
    expect(await resultsOf(await compiled.local.start({ document, variableValues, operationName }))).toEqual(expected)
  })
})

test('what another subgraph answers takes a plan', async () => {
  expect(subgraph().local.start({ document: parse('subscription { weather }') })).toBeUndefined()
})

test('an operation of very many fields takes a plan, also where a few fragments make them', () => {
  const doubling = Array.from({ length: 8 }, (_, i) => `fragment F${i} on Trade { ...F${i + 1} ...F${i + 1} }`).join(
    ' ',
  )
  const query = `subscription { trades(symbols: ["AAPL"]) { ...F0 } } ${doubling} fragment F8 on Trade { price }`
  expect(subgraph().local.start({ document: parse(query) })).toBeUndefined()
})

test('whoever leaves while nothing comes ends the source at once', async () => {
  let left = 0
  const source = new BoundedStream({ limit: 10, onDropped: () => undefined, onLeave: () => left++ })
  const { local } = subgraph(source)
  const started = await local.start({ document: parse('subscription { trades(symbols: ["AAPL"]) { price } }') })
  if (!started || !(Symbol.asyncIterator in started)) throw new Error(JSON.stringify(started))
  const results = started[Symbol.asyncIterator]()
  const waiting = results.next()
  await results.return?.()
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(left).toBe(1)
})
