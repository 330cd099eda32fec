import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectExact } from '../support/expect-exact.ts'
import { type KafkaDev, mayStartKafka, ownKafka, ownKafkaPort } from '../support/kafka-dev.ts'
import { metric, startPlatform } from '../support/platform-process.ts'
import { printsOf } from '../support/recomputation.ts'
import { openStored } from '../support/stored.ts'
import { walk, writeTape } from '../support/tapes.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** Longer than one `produce` tries by itself. */
const AWAY_MS = 40_000

// The broker tells clients to come through the wire that is cut, so it is one of its own.
if (mayStartKafka)
  describe('acknowledgements that Kafka sent and nobody got', () => {
    let proxy: TcpProxy
    let broker: KafkaDev

    beforeAll(async () => {
      proxy = await openTcpProxy(ownKafkaPort('lostAcknowledgement'))
      broker = await ownKafka('lostAcknowledgement', { KAFKA_ADVERTISED: String(proxy.port) })
    })

    afterAll(async () => {
      await proxy[Symbol.asyncDispose]()
      await broker('wipe')
    })

    test('leave nothing missing and nothing doubled in the store, however long they go on', async () => {
      const tape = writeTape(walk(60_000, 20, ['SPY', 'BAC', 'AIG', 'IBM']))
      const prints = printsOf(tape)
      await using platform = await startPlatform(['--replay', tape, '--speed', '80', '--exit-when-done'], {
        LOG_LEVEL: 'fatal',
        KAFKA_BROKERS: `127.0.0.1:${proxy.port}`,
        KAFKA_PREFIX: `e2e-${randomUUID().slice(0, 8)}.`,
      })
      await platform.ready()
      const produced = () => metric(platform, 'ingest_facts_total{source="replay:tape",topic="stock-data"}')
      for (const [share, awayMs] of [
        [0.1, 300],
        [0.2, 300],
        [0.3, AWAY_MS],
      ] as const) {
        await expect.poll(produced, { timeout: 60_000, interval: 20 }).toBeGreaterThan(share * prints.length)
        proxy.loseAnswers = true
        await new Promise((resolve) => setTimeout(resolve, awayMs))
        proxy.loseAnswers = false
      }
      const retries = await metric(platform, `ingest_retries_total{source="replay:tape",on="bus"}`)
      expect(await platform.exited).toBe(0)
      expect(retries).toBeGreaterThan(0)
      await using stored = await openStored(platform.dataDir)
      await expectExact(stored, prints)
    })
  })
