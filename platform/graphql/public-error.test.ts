import { GraphQLError } from 'graphql'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import { silentLog } from '../log.ts'
import { publicError } from './public-error.ts'

const wrapped = (originalError: Error) => new GraphQLError('outer', { path: ['a'], originalError })

test('an expected error keeps its code and sentence, however often it was wrapped', () => {
  const error = wrapped(wrapped(new PlatformError('UNKNOWN_SYMBOL', 'Nobody has it', { cause: 'hunter2' })))
  expect(publicError(error, silentLog).toJSON()).toEqual({
    message: 'Nobody has it',
    path: ['a'],
    extensions: { code: 'UNKNOWN_SYMBOL', retryable: false },
  })
})

test.each(['STORE_UNAVAILABLE', 'PUBSUB_UNAVAILABLE', 'BUS_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'] as const)(
  '%s says that it will pass, and not where the backend is',
  (code) => {
    const shown = publicError(wrapped(new PlatformError(code, 'ECONNREFUSED 10.0.0.7:5432/ticks')), silentLog)
    expect(shown.message).toMatch(/ now, try again in a moment$/)
    expect(shown.extensions).toEqual({ code, retryable: true })
  },
)

test('an unexpected error becomes a reference that the log explains', () => {
  const lines: string[] = []
  const log = pino({}, { write: (line) => lines.push(line) })
  const shown = publicError(wrapped(new Error('hunter2')), log)
  expect(JSON.stringify(shown)).not.toContain('hunter2')
  expect(shown.extensions.code).toBe('INTERNAL_SERVER_ERROR')
  expect(JSON.parse(lines[0])).toMatchObject({ reference: shown.extensions.reference, err: { message: 'hunter2' } })
})

test('made public twice it is the same', () => {
  for (const error of [wrapped(new Error('x')), new PlatformError('LIMIT_EXCEEDED', 'too much')]) {
    const once = publicError(error, silentLog)
    expect(publicError(once, silentLog).toJSON()).toEqual(once.toJSON())
  }
})

test('a code that is not ours says nothing to a client', () => {
  const foreign = new GraphQLError('select * from users', { extensions: { code: 'DOWNSTREAM', stacktrace: ['x'] } })
  expect(publicError(foreign, silentLog)).toMatchObject({ extensions: { code: 'INTERNAL_SERVER_ERROR' } })
  expect(publicError(foreign, silentLog).message).not.toContain('users')
})

test('a mistake in the document keeps its place', () => {
  const error = new GraphQLError('Unknown field', {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', secret: 1 },
    path: ['b'],
  })
  expect(publicError(error, silentLog).toJSON()).toEqual({
    message: 'Unknown field',
    path: ['b'],
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  })
})
