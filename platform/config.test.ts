import { describe, expect, test } from 'vitest'
import { kafkaSecurity, readConfig } from './config.ts'

describe('config', () => {
  test('an empty environment runs everything embedded', () => {
    const config = readConfig({})
    expect(config.KAFKA_BROKERS).toBeUndefined()
    expect(config.SIMULATED_TICKS_PER_SECOND).toBe(100)
  })

  test('every problem is reported at once, by the name of its variable', () => {
    const read = () => readConfig({ SIMULATED_TICKS_PER_SECOND: '0', REDIS_URL: 'http://x', LOG_LEVEL: 'loud' })
    for (const name of ['SIMULATED_TICKS_PER_SECOND', 'REDIS_URL', 'LOG_LEVEL']) expect(read).toThrow(name)
  })

  test('a role alone says which backends it needs', () => {
    const needed = ['KAFKA_BROKERS', 'REDIS_URL', 'DATABASE_URL'] as const
    for (const name of needed) expect(() => readConfig({}, needed)).toThrow(`${name}: must be set`)
  })

  test('an empty variable counts as left out', () => {
    expect(readConfig({ KAFKA_BROKERS: '' }).KAFKA_BROKERS).toBeUndefined()
  })

  test('SASL without a password is refused', () => {
    expect(() => readConfig({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me' })).toThrow(
      'KAFKA_SASL_PASSWORD',
    )
  })

  test('a certificate that cannot be read is said at start', () => {
    const config = readConfig({ KAFKA_SSL: 'true', KAFKA_SSL_CA_FILE: '/nowhere/ca.pem' })
    expect(() => kafkaSecurity(config)).toThrow('KAFKA_SSL_CA_FILE: cannot read /nowhere/ca.pem')
  })

  test('SASL over TLS hands both to the client', () => {
    const config = readConfig({
      KAFKA_SSL: 'true',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'me',
      KAFKA_SASL_PASSWORD: 'secret',
    })
    expect(kafkaSecurity(config)).toEqual({ ssl: {}, sasl: { mechanism: 'plain', username: 'me', password: 'secret' } })
  })
})
