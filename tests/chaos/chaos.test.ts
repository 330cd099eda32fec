import { describe, expect, test } from 'vitest'
import { runChaos } from './run.ts'

const brokers = process.env.KAFKA_BROKERS?.split(',')

// It kills the broker: only one that scripts/kafka-dev runs, under KAFKA_PORT and KAFKA_HOME_DIR of the environment.
describe.runIf(brokers && process.env.KAFKA_DEV_CONTROL === '1')('Processors in several processes', () => {
  test('leave everything exact although workers, broker and database are killed and one comes back from the dead', async () => {
    const { wrong, differences, fatal, produced } = await runChaos({
      brokers: brokers ?? [],
      ticks: 30_000,
      ticksPerSecond: 1_200,
      seed: 11,
      faults: ['freeze', 'kill', 'database', 'kill', 'broker', 'kill'],
    })
    expect({ wrong, fatal }, JSON.stringify(differences)).toEqual({ wrong: 0, fatal: [] })
    expect(differences.rows.expected).toBe(30_000)
    expect(produced).toBeGreaterThan(30_000)
  })
})
