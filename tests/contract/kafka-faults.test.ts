import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventBus } from '../../platform/bus/bus.ts'
import { type KafkaBusOptions, openKafkaBus } from '../../platform/bus/kafka-bus.ts'
import { kafkaClient } from '../../platform/bus/kafka-client.ts'
import { silentLog } from '../../platform/log.ts'
import { openMetrics } from '../../platform/metrics.ts'
import { newTopic, numbers, read, records, unique } from '../support/bus.ts'
import { type KafkaDev, mayStartKafka, ownKafka, ownKafkaPort } from '../support/kafka-dev.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const open = (brokers: readonly string[], options: Partial<KafkaBusOptions> = {}): Promise<EventBus> =>
  openKafkaBus({ brokers, clientId: 'faults', log: silentLog, metrics: openMetrics(), ...options })

const seconds = (count: number) => ({ timeout: count * 1_000, interval: 50 })
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Everything on the only partition of the topic, in the order of the log. */
async function logOf(bus: EventBus, topic: string): Promise<string[]> {
  const [{ high }] = [...(await bus.offsets(topic)).values()]
  const { seen, consumer } = await read(bus, topic, unique('log'))
  await expect.poll(() => seen.length, seconds(20)).toBe(high)
  await consumer[Symbol.asyncDispose]()
  return seen
}

/** Requests begin with their length and their number: https://kafka.apache.org/protocol#protocol_api_keys */
const FIND_COORDINATOR = 10
const asksForCoordinator = (request: Buffer) => request.length > 6 && request.readInt16BE(4) === FIND_COORDINATOR

/** Once the broker is back, again and again until it is taken. */
const expectProduced = (bus: EventBus, topic: string, value: string) =>
  expect
    .poll(() => bus.produce(topic, records('AAPL', [value])).then(() => 'stored', String), seconds(20))
    .toBe('stored')

/** Produces numbered batches, each again with the very same records until it is taken, until told to stop. */
function produceOn(bus: EventBus, topic: string) {
  let going = true
  let stored = 0
  const ended = (async () => {
    while (going) {
      const batch = records('AAPL', numbers(stored, stored + 20))
      for (let taken = false; !taken; ) {
        taken = await bus.produce(topic, batch).then(
          () => true,
          () => false,
        )
      }
      stored += 20
      await pause(5)
    }
    return stored
  })()
  return {
    get stored() {
      return stored
    },
    stop: () => {
      going = false
      return ended
    },
  }
}

describe('a Kafka broker', () => {
  test('that is not there is named at the start', async () => {
    await expect(open(['127.0.0.1:1'])).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: expect.stringContaining('Kafka at 127.0.0.1:1 could not be reached'),
    })
  })
})

if (mayStartKafka)
  describe('a Kafka broker in trouble', () => {
    const brokers = [`127.0.0.1:${ownKafkaPort('trouble')}`]
    let broker: KafkaDev

    beforeAll(async () => {
      broker = await ownKafka('trouble')
    })

    afterAll(() => broker('wipe'))

    test.each([
      ['is stopped and started', () => broker('stop')],
      ['is killed and started', () => broker('kill')],
      [
        'hangs for 40 seconds',
        () =>
          broker('freeze')
            .then(() => pause(40_000))
            .then(() => broker('thaw')),
      ],
    ])(
      'that %s loses nothing, doubles nothing and keeps the order, and nobody needs a restart',
      async (_fault, trouble) => {
        await using bus = await open(brokers)
        const topic = await newTopic(bus)
        const fatal: Error[] = []
        // Whoever holds records back takes them from the other one, and asks the broker for nothing but its membership.
        const readers = await Promise.all(
          [0, 50].map(async (lingerMs) => {
            const seen: number[] = []
            let next = 0
            await bus.consume({
              group: unique('group'),
              topic,
              lingerMs,
              position: async () => new Map([[0, next]]),
              onBatch: async (batch) => {
                for (const { value } of batch.records) seen.push(Number(value))
                next = batch.nextOffset
              },
              onFatal: (error) => fatal.push(error),
            })
            return seen
          }),
        )
        const allHave = async (count: number, withinS: number) => {
          for (const seen of readers)
            await expect.poll(() => fatal[0] ?? seen.length, seconds(withinS)).toBeGreaterThanOrEqual(count)
        }
        const producing = produceOn(bus, topic)
        await allHave(500, 10)
        await trouble()
        await broker('start')
        const storedAtReturn = producing.stored
        await expect.poll(() => producing.stored, seconds(40)).toBeGreaterThan(storedAtReturn + 500)
        const stored = await producing.stop()
        await allHave(stored, 40)
        for (const seen of readers) expect(seen).toEqual(numbers(0, stored))
        expect(fatal).toEqual([])
      },
    )

    test('that hangs for longer than clients are waited for leaves the newest of them alone in the group', async () => {
      const group = unique('group')
      await using bus = await open(brokers, { silenceMs: 2_000 })
      const topic = await newTopic(bus)
      const { seen, fatal } = await read(bus, topic, group)
      await bus.produce(topic, records('AAPL', ['before']))
      await expect.poll(() => seen, seconds(10)).toEqual(['before'])
      await broker('freeze')
      await pause(15_000)
      await broker('thaw')
      const admin = kafkaClient({ brokers, clientId: 'faults' }, silentLog).admin()
      await admin.connect()
      const members = async () => (await admin.describeGroups([group])).groups[0].members.length
      try {
        await expectProduced(bus, topic, 'after')
        await expect.poll(() => fatal[0] ?? seen.at(-1), seconds(30)).toBe('after')
        await expect.poll(members, seconds(30)).toBe(1)
        await pause(8_000)
        expect(await members()).toBe(1)
        await bus.produce(topic, records('AAPL', ['at the end']))
        await expect.poll(() => fatal[0] ?? seen.at(-1), seconds(10)).toBe('at the end')
      } finally {
        await admin.disconnect()
      }
    })

    test('that hangs fails the ping within its time', async () => {
      await using bus = await open(brokers, { pingTimeoutMs: 500 })
      await bus.ping()
      await broker('freeze')
      try {
        await expect(bus.ping()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
      } finally {
        await broker('thaw')
      }
      await expect.poll(() => bus.ping().then(() => 'reached', String), seconds(20)).toBe('reached')
    })
  })

if (mayStartKafka)
  describe('a second Kafka broker, behind a wire to cut', () => {
    const port = ownKafkaPort('wire')
    const saslPort = port + 2
    let proxy: TcpProxy
    let broker: KafkaDev

    beforeAll(async () => {
      proxy = await openTcpProxy(port)
      broker = await ownKafka('wire', {
        KAFKA_PROPS: [
          `listeners=PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${saslPort},CONTROLLER://127.0.0.1:${port + 1}`,
          `advertised.listeners=PLAINTEXT://127.0.0.1:${proxy.port},SASL_PLAINTEXT://127.0.0.1:${saslPort}`,
          'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
          'sasl.enabled.mechanisms=PLAIN',
          'listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ticks="s3cret";',
        ].join('\n'),
      })
    })

    afterAll(async () => {
      await broker('wipe')
      await proxy[Symbol.asyncDispose]()
    })

    const impatient = { produceTimeoutMs: 1_000, requestTimeoutMs: 1_000, connectTimeoutMs: 500 }
    const openThroughProxy = () => open([`127.0.0.1:${proxy.port}`], impatient)

    /** Rejected, although the broker has stored it: only the acknowledgement is lost. */
    async function produceUnheard(bus: EventBus, topic: string, batch: ReturnType<typeof records>): Promise<void> {
      proxy.loseAnswers = true
      try {
        await expect(bus.produce(topic, batch)).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
      } finally {
        proxy.loseAnswers = false
      }
    }

    test('a batch whose acknowledgement was lost is stored once when it is produced again', async () => {
      await using bus = await openThroughProxy()
      const topic = await newTopic(bus)
      await bus.produce(topic, records('AAPL', ['A1', 'A2', 'A3']))
      const unheard = records('AAPL', ['B1', 'B2', 'B3'])
      await produceUnheard(bus, topic, unheard)
      await bus.produce(topic, unheard)
      await bus.produce(topic, records('AAPL', ['C1', 'C2', 'C3']))
      expect(await logOf(bus, topic)).toEqual(['A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'C1', 'C2', 'C3'])
    })

    test('equal records in another array are recognised as the same batch', async () => {
      await using bus = await openThroughProxy()
      const topic = await newTopic(bus)
      await bus.produce(topic, records('AAPL', ['A1']))
      await produceUnheard(bus, topic, records('AAPL', ['B1', 'B2']))
      await bus.produce(topic, records('AAPL', ['B1', 'B2']))
      expect(await logOf(bus, topic)).toEqual(['A1', 'B1', 'B2'])
    })

    test.each([
      ['of the same size', ['C1', 'C2', 'C3']],
      ['that is smaller', ['C1', 'C2']],
      ['that is larger', ['C1', 'C2', 'C3', 'C4']],
    ])(
      'after a lost acknowledgement another batch %s is not acknowledged without being stored',
      async (_size, other) => {
        await using bus = await openThroughProxy()
        const topic = await newTopic(bus)
        await bus.produce(topic, records('AAPL', ['A1', 'A2', 'A3']))
        await produceUnheard(bus, topic, records('AAPL', ['B1', 'B2', 'B3']))
        await bus.produce(topic, records('AAPL', other))
        await bus.produce(topic, records('AAPL', ['D1']))
        expect(await logOf(bus, topic)).toEqual(['A1', 'A2', 'A3', 'B1', 'B2', 'B3', ...other, 'D1'])
      },
    )

    test('a batch of many requests goes on after the ones that were acknowledged', async () => {
      await using bus = await openThroughProxy()
      const topic = await newTopic(bus)
      await bus.produce(topic, records('AAPL', ['first']))
      const many = records('AAPL', numbers(0, 1_700))
      const producing = bus.produce(topic, many).then(
        () => 'taken',
        () => 'rejected',
      )
      await expect
        .poll(async () => [...(await bus.offsets(topic)).values()][0].high, { interval: 0 })
        .toBeGreaterThan(1)
      proxy.loseAnswers = true
      await producing
      proxy.loseAnswers = false
      await bus.produce(topic, many)
      expect((await logOf(bus, topic)).slice(0, 1_701)).toEqual(['first', ...numbers(0, 1_700).map(String)])
    })

    test('a consumer that finds no coordinator for its group goes on once there is one', async () => {
      await using bus = await openThroughProxy()
      const topic = await newTopic(bus)
      const { seen, fatal } = await read(bus, topic, unique('group'))
      await bus.produce(topic, records('AAPL', ['before']))
      await expect.poll(() => seen, seconds(10)).toEqual(['before'])

      // Its session ends, so that it must join again.
      proxy.refuses = () => true
      proxy.cut()
      await pause(8_000)
      let refused = 0
      proxy.refuses = (bytes) => asksForCoordinator(bytes) && ++refused > 0
      await expect.poll(() => refused, seconds(20)).toBeGreaterThan(3)
      proxy.refuses = () => false

      await expectProduced(bus, topic, 'after')
      await expect.poll(() => fatal[0] ?? seen.at(-1), seconds(20)).toBe('after')
    })

    test('a user with a password is let in over SASL', async () => {
      await using bus = await open([`127.0.0.1:${saslPort}`], {
        sasl: { mechanism: 'plain', username: 'ticks', password: 's3cret' },
      })
      const topic = await newTopic(bus)
      await bus.produce(topic, records('AAPL', [1, 2]))
      expect(await logOf(bus, topic)).toEqual(['1', '2'])
    })

    test('a wrong password is a clear error, without the password', async () => {
      const sasl = { mechanism: 'plain', username: 'ticks', password: 'wr0ng' } as const
      const failure = await open([`127.0.0.1:${saslPort}`], { sasl }).then(
        () => undefined,
        (error: Error) => error,
      )
      expect(failure).toMatchObject({ code: 'INVALID_CONFIG' })
      expect(failure?.message).toContain(`Kafka at 127.0.0.1:${saslPort} refused the user ticks (SASL plain)`)
      expect(failure?.message).not.toContain('wr0ng')
    })
  })
