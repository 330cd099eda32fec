import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlannerName } from '../../gateway/planner.ts'
import type { SubgraphPlace } from '../../gateway/subgraph-executor.ts'
import { openGateway, type Served } from '../support/gateway.ts'
import { query, subscribe } from '../support/graphql.ts'

const ways: [planner: PlannerName, placed: SubgraphPlace['kind']][] = [
  ['rust', 'local'],
  ['rust', 'remote'],
  ['js', 'local'],
  ['js', 'remote'],
]

describe.each(ways)('A mistake of the client, planned by %s over %s subgraphs', (planner, placed) => {
  let served: Served
  beforeAll(async () => {
    served = await openGateway(placed, { planner })
  })
  afterAll(() => served[Symbol.asyncDispose]())

  const ask = (text: string, variables?: Record<string, unknown>) => query(served.url, text, variables)
  const failure = async (text: string, variables?: Record<string, unknown>) => {
    const { errors = [] } = await ask(text, variables)
    return errors.map(({ message, extensions }) => ({ code: extensions?.code, message }))
  }
  const barsSince = (from: unknown) =>
    `{ instrument(symbol: "AAPL") { bars(interval: ONE_MINUTE, from: ${JSON.stringify(from)}) { edges { cursor } } } }`
  const BARS_SINCE = `query ($from: DateTime) ${barsSince('$from').replace('"$from"', '$from')}`

  test.each(['2013-10-07', '2013-10-07T13:30:00', '2013-02-30T00:00:00Z', 1_381_152_600_000])(
    'is a time of %j',
    async (from) => {
      const message = expect.stringContaining('DateTime cannot represent')
      expect(await failure(BARS_SINCE, { from })).toEqual([{ code: 'BAD_USER_INPUT', message }])
      expect(await failure(barsSince(from))).toEqual([{ code: 'GRAPHQL_VALIDATION_FAILED', message }])
    },
  )

  test.each(['2013-10-07T13:30:00Z', '2013-10-07T09:30:00.000-04:00'])('is not a time of %j', async (from) => {
    const written = await ask(barsSince(from))
    expect(written.errors).toBeUndefined()
    expect(await ask(BARS_SINCE, { from })).toEqual(written)
  })

  test('is a kind of operation that is not served', async () => {
    const refusal = { code: 'GRAPHQL_VALIDATION_FAILED', message: 'There is no mutation here' }
    expect(await failure('mutation { buy }')).toEqual([refusal])
    using live = subscribe(served.url, 'mutation { buy }')
    await live.ended
    expect(live.errors).toMatchObject([{ message: refusal.message, extensions: { code: refusal.code } }])
  })
})
