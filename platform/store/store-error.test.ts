import { describe, expect, test } from 'vitest'
import { PlatformError } from '../../domain/errors.ts'
import { addressOf, storeError } from './store-error.ts'

const URL_WITH_SECRET = 'postgresql://app:s3cret@db.example:6543/prices?sslmode=require'
const failed = (message: string, code?: string) => Object.assign(new Error(message), code === undefined ? {} : { code })
const meaning = (error: unknown) => storeError('append ticks', URL_WITH_SECRET, error)

describe('storeError', () => {
  test.each([
    ['nobody listens', failed('connect ECONNREFUSED', 'ECONNREFUSED')],
    [
      'its Unix socket is gone',
      Object.assign(failed('connect ENOENT /data/.s.PGSQL.5432', 'ENOENT'), { syscall: 'connect' }),
    ],
    ['the name is unknown', failed('getaddrinfo ENOTFOUND', 'ENOTFOUND')],
    ['the connection broke', failed('Connection terminated unexpectedly')],
    ['no connection became free', failed('timeout exceeded when trying to connect')],
    ['it accepts and says nothing', failed('timeout expired')],
    ['there was no answer in time', failed('Query read timeout')],
    ['it is starting up', failed('the database system is starting up', '57P03')],
    ['an operator cut the connection', failed('terminating connection', '57P01')],
    ['it has too many clients', failed('sorry, too many clients already', '53300')],
    ['its disk is full', failed('could not extend file', '53100')],
    ['it has become a standby', failed('cannot execute INSERT in a read-only transaction', '25006')],
    ['the transaction took too long', failed('terminating connection due to transaction timeout', '25P04')],
  ])('%s: the same call may succeed later', (_why, error) => {
    expect(meaning(error)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, cause: error })
  })

  test.each([
    ['28P01', 'password authentication failed'],
    ['3D000', 'database "prices" does not exist'],
  ])('%s: somebody has to change the configuration', (code, message) => {
    expect(meaning(failed(message, code))).toMatchObject({ code: 'INVALID_CONFIG', retryable: false })
  })

  test('it says what was tried and where, and never the password', () => {
    const { message } = meaning(failed('connect ECONNREFUSED', 'ECONNREFUSED'))
    expect(message).toBe(
      'Could not append ticks: PostgreSQL at db.example:6543/prices cannot be used now: connect ECONNREFUSED',
    )
  })

  test('a statement that is wrong is a bug and stays as it is', () => {
    const error = failed('column "nonsense" does not exist', '42703')
    expect(meaning(error)).toBe(error)
  })

  test('a certificate that is not where the address says is no outage', () => {
    const missing = Object.assign(failed('ENOENT: no such file, open ca.pem', 'ENOENT'), { syscall: 'open' })
    expect(meaning(missing)).toBe(missing)
  })

  test('what has a meaning already keeps it', () => {
    const error = new PlatformError('STORE_INCOMPATIBLE', 'no')
    expect(meaning(error)).toBe(error)
  })

  test('an address without a port has the usual one', () => {
    expect(addressOf('postgresql://db.example/prices')).toBe('db.example:5432/prices')
  })
})
