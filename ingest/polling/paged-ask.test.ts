import { expect, test } from 'vitest'
import { VendorError } from '../vendor-error.ts'
import type { FeedCursor } from './feed.ts'
import { PAGES_MAX, type PageAnswer, pagedAsk } from './paged-ask.ts'

const never = new AbortController().signal
const reject = { position: 1, reason: 'results[0]: t: expected number', original: Buffer.from('{}') }
const page = (next?: string): PageAnswer => ({ facts: [], rejects: [], next })

/** A vendor that answers as told; `asked` is what it was asked for. */
function world(answers: readonly (PageAnswer | Error)[]) {
  const asked: (string | undefined)[] = []
  let rounds = 0
  const paged = pagedAsk<number>({
    begin: (cursor) => (cursor?.isDone ? undefined : ++rounds),
    page: async (round, next) => {
      const answer = answers[asked.length] ?? page()
      asked.push(`${round} ${next ?? 'first'}`)
      if (answer instanceof Error) throw answer
      return answer
    },
    end: (round) => ({ round }),
  })
  const ask = (cursor?: FeedCursor) => paged(cursor, never)
  return { ask, asked }
}

test('a list is read page by page, and is done with the last', async () => {
  const { ask, asked } = world([page('a'), page('b'), page()])
  expect(await ask()).toEqual({ facts: [], rejects: [], goesOn: true })
  await ask()
  expect(await ask()).toEqual({ facts: [], rejects: [], cursor: { round: 1 } })
  await ask()
  expect(asked).toEqual(['1 first', '1 a', '1 b', '2 first'])
})

test('where there is nothing to ask for, nobody is asked', async () => {
  const { ask, asked } = world([])
  expect(await ask({ isDone: true })).toEqual({ facts: [], rejects: [] })
  expect(asked).toEqual([])
})

test('a page that could not be had is asked for again', async () => {
  const { ask, asked } = world([page('a'), new VendorError('VENDOR_UNAVAILABLE', 'away'), page()])
  await ask()
  await expect(ask()).rejects.toMatchObject({ code: 'VENDOR_UNAVAILABLE' })
  await ask()
  expect(asked).toEqual(['1 first', '1 a', '1 a'])
})

test('a page that the vendor does not have any more means to begin anew', async () => {
  const { ask, asked } = world([page('a'), new VendorError('VENDOR_ANSWER', 'invalid page token'), page()])
  await ask()
  await expect(ask()).rejects.toMatchObject({ code: 'VENDOR_ANSWER' })
  await ask()
  expect(asked).toEqual(['1 first', '1 a', '2 first'])
})

test('a page of which nothing can be read is not passed over', async () => {
  const { ask } = world([{ facts: [], rejects: [reject], next: undefined }])
  await expect(ask()).rejects.toMatchObject({ code: 'VENDOR_ANSWER', original: reject.original })
})

test('a list that leads to itself, or never ends, is left', async () => {
  const circle = world([page('a'), page('a')])
  await circle.ask()
  await expect(circle.ask()).rejects.toMatchObject({ code: 'VENDOR_ANSWER' })
  const endless = world(Array.from({ length: PAGES_MAX }, (_, i) => page(String(i))))
  for (let i = 1; i < PAGES_MAX; i++) await endless.ask()
  await expect(endless.ask()).rejects.toMatchObject({ code: 'VENDOR_ANSWER' })
})
