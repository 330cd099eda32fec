import { type ExecutionResult, GraphQLError, parse } from 'graphql'
import { expect, test } from 'vitest'
import { silentLog } from '../platform/log.ts'
import { openMetrics } from '../platform/metrics.ts'
import { BoundedStream } from './bounded-stream.ts'
import { SharedSubscriptions, type StartSubscription } from './shared-subscriptions.ts'

const document = parse('subscription ($a: Int, $b: Int) { ticks(a: $a, b: $b) }')
const open = (subscriptionsMax = 10, resultsWaitingMax = 100) =>
  new SharedSubscriptions({ subscriptionsMax, resultsWaitingMax, metrics: openMetrics(), log: silentLog })

/** A source the test drives, which counts how often it was started and left. */
const source = () => {
  const stream = new BoundedStream({ limit: 1_000, onDropped: () => undefined, onLeave: () => left++ })
  let started = 0
  let left = 0
  const start: StartSubscription = () => {
    started++
    return stream
  }
  return { start, push: (n: number) => stream.push({ data: { n } }), stream, counts: () => ({ started, left }) }
}
const joined = async (
  shared: SharedSubscriptions,
  start: StartSubscription,
  variableValues = {},
  audience = 'public',
) => {
  const stream = await shared.join({ document, variableValues }, audience, start)
  if (!(stream instanceof BoundedStream)) throw new Error(JSON.stringify(stream))
  return stream
}
const read = async (stream: AsyncIterator<ExecutionResult>) => (await stream.next()).value

test('the same operation with the same variables in another order runs once', async () => {
  const shared = open()
  const { start, counts } = source()
  await joined(shared, start, { a: 1, b: 2 })
  await joined(shared, start, { b: 2, a: 1 })
  expect(counts().started).toBe(1)
  expect(shared.size).toEqual({ sources: 1, readers: 2 })
})

test('other variables are another operation', async () => {
  const shared = open()
  const { start } = source()
  await joined(shared, start, { a: 1 })
  await joined(shared, start, { a: 2 })
  expect(shared.size.sources).toBe(2)
})

test('two audiences never share', async () => {
  const shared = open()
  await joined(shared, source().start, {}, 'alice')
  await joined(shared, source().start, {}, 'bob')
  expect(shared.size.sources).toBe(2)
})

test('who comes while it starts waits for the same start', async () => {
  const shared = open()
  const { start, push, counts } = source()
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const slowly: StartSubscription = async () => {
    await gate
    return start()
  }
  const both = Promise.all([joined(shared, slowly), joined(shared, slowly)])
  go()
  const readers = await both
  push(1)
  expect(await Promise.all(readers.map(read))).toEqual([{ data: { n: 1 } }, { data: { n: 1 } }])
  expect(counts().started).toBe(1)
})

test('the source is left when the last reader leaves, not before', async () => {
  const shared = open()
  const { start, counts } = source()
  const first = await joined(shared, start)
  const second = await joined(shared, start)
  await first.return()
  expect(counts().left).toBe(0)
  await second.return()
  await expect.poll(() => counts().left).toBe(1)
  expect(shared.size).toEqual({ sources: 0, readers: 0 })
})

test('a start that is refused is the answer to all, and the next one tries anew', async () => {
  const shared = open()
  const refused: StartSubscription = async () => ({
    errors: [new GraphQLError('no', { extensions: { code: 'UNKNOWN_SYMBOL' } })],
  })
  const answers = await Promise.all([1, 2].map(() => shared.join({ document }, 'public', refused)))
  for (const answer of answers) expect(answer).toMatchObject({ errors: [{ extensions: { code: 'UNKNOWN_SYMBOL' } }] })
  expect(shared.size).toEqual({ sources: 0, readers: 0 })
  const { start, push } = source()
  const reader = await joined(shared, start)
  push(1)
  expect(await read(reader)).toEqual({ data: { n: 1 } })
})

test('a start that throws shows nothing of why', async () => {
  const answer = await open().join({ document }, 'public', () => Promise.reject(new Error('hunter2')))
  expect(answer).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
  expect(JSON.stringify(answer)).not.toContain('hunter2')
})

test('a source that fails tells everybody once, then ends', async () => {
  const shared = open()
  const failing: StartSubscription = async () =>
    (async function* () {
      yield { data: { n: 1 } }
      throw new Error('hunter2')
    })()
  const reader = await joined(shared, failing)
  expect(await read(reader)).toEqual({ data: { n: 1 } })
  expect(await read(reader)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] })
  expect((await reader.next()).done).toBe(true)
  expect(shared.size).toEqual({ sources: 0, readers: 0 })
})

test('errors that a planner keeps in one list are each told once', async () => {
  const errors = [new GraphQLError('first', { extensions: { code: 'STORE_UNAVAILABLE' } })]
  const keeping: StartSubscription = async () =>
    (async function* () {
      yield { errors }
      yield { data: { n: 2 }, errors }
    })()
  const reader = await joined(open(), keeping)
  expect(await read(reader)).toMatchObject({ errors: [{ message: 'first' }] })
  expect(await read(reader)).toEqual({ data: { n: 2 } })
})

test('a burst larger than the buffer loses nothing for a reader who reads', async () => {
  const { start, push } = source()
  const reader = await joined(open(10, 100), start)
  for (let n = 0; n < 1_000; n++) push(n)
  for (let n = 0; n < 1_000; n++) expect(await read(reader)).toEqual({ data: { n } })
})

test('what comes at once is told in one turn of the event loop', async () => {
  const { start, push } = source()
  const reader = await joined(open(10, 1_000), start)
  let turns = 0
  setImmediate(() => turns++)
  for (let n = 0; n < 200; n++) push(n)
  for (let n = 0; n < 200; n++) await read(reader)
  expect(turns).toBe(0)
})

test('one reader over the bound of all is refused', async () => {
  const shared = open(1)
  const { start } = source()
  await joined(shared, start)
  expect(await shared.join({ document }, 'public', start)).toMatchObject({
    errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
  })
})

test('ending completes every reader', async () => {
  const shared = open()
  const { start, counts } = source()
  const reader = await joined(shared, start)
  await shared.end()
  expect((await reader.next()).done).toBe(true)
  expect(counts().left).toBe(1)
})
