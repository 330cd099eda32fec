import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaBusOptions, openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { newTopic, read, records, unique } from '../support/bus.ts'
import { selfSigned } from '../support/certificate.ts'
import { type KafkaDev, mayStartKafka, ownKafka, ownKafkaPort } from '../support/kafka-dev.ts'

// A broker of its own, which speaks TLS with passwords beside the plain listener it needs for itself.
if (mayStartKafka)
  describe('a Kafka broker that speaks TLS and wants a password', () => {
    const port = ownKafkaPort('security')
    const address = `127.0.0.1:${port + 2}`
    const certificate = selfSigned()
    const ca = readFileSync(certificate.cert, 'utf8')
    const sasl = { mechanism: 'plain', username: 'ticks', password: 's3cret' } as const
    const open = (options: Partial<KafkaBusOptions>) =>
      openKafkaBus({ brokers: [address], clientId: 'secure', log: silentLog, metrics: openMetrics(), ...options })
    let broker: KafkaDev

    beforeAll(async () => {
      const keystore = join(certificate.folder, 'keystore.pem')
      writeFileSync(keystore, readFileSync(certificate.key, 'utf8') + ca)
      broker = await ownKafka('security', {
        KAFKA_PROPS: [
          `listeners=PLAINTEXT://127.0.0.1:${port},SASL_SSL://${address},CONTROLLER://127.0.0.1:${port + 1}`,
          `advertised.listeners=PLAINTEXT://127.0.0.1:${port},SASL_SSL://${address}`,
          'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
          'sasl.enabled.mechanisms=PLAIN',
          'listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ticks="s3cret";',
          'listener.name.sasl_ssl.ssl.keystore.type=PEM',
          `listener.name.sasl_ssl.ssl.keystore.location=${keystore}`,
        ].join('\n'),
      })
    })

    afterAll(async () => {
      await broker('wipe')
      await certificate[Symbol.asyncDispose]()
    })

    test('takes records from whom it knows, over TLS, and gives them back', async () => {
      await using bus = await open({ ssl: { ca }, sasl })
      const topic = await newTopic(bus)
      await bus.produce(topic, records('AAPL', ['one', 'two']))
      const { seen } = await read(bus, topic, unique('group'))
      await expect.poll(() => seen, { timeout: 20_000 }).toEqual(['one', 'two'])
    })

    test.each([
      ['a certificate that we do not trust', { ssl: true, sasl }, 'BUS_UNAVAILABLE', /self.signed|certificate/i],
      [
        'a wrong password',
        { ssl: { ca }, sasl: { ...sasl, password: 'wr0ng' } },
        'INVALID_CONFIG',
        /refused the user ticks/,
      ],
    ] as const)('%s is said, and no password with it', async (_name, options, code, sentence) => {
      const failure = await open(options).then(
        () => undefined,
        (error: Error) => error,
      )
      expect(failure).toMatchObject({ code })
      expect(failure?.message).toContain(address)
      expect(failure?.message).toMatch(sentence)
      expect(failure?.message).not.toMatch(/s3cret|wr0ng/)
    })
  })
