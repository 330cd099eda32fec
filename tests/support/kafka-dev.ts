import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../scripts/kafka-dev', import.meta.url))

export type KafkaDevCommand = 'start' | 'stop' | 'kill' | 'freeze' | 'thaw' | 'wipe'

/**
 * Commands for the broker that `scripts/kafka-dev` runs under KAFKA_PORT and KAFKA_HOME_DIR of the environment, or for
 * another one under the settings given.
 */
export const kafkaDev =
  (settings: Readonly<Record<string, string>> = {}) =>
  async (command: KafkaDevCommand): Promise<void> => {
    // Not through pipes: the broker would inherit them, and waiting for their end would be waiting for the broker's.
    await run(script, [command], { env: { ...process.env, ...settings } })
  }

export type KafkaDev = ReturnType<typeof kafkaDev>

/** Suites that run side by side, each with a broker of its own: how far its ports are from the first. */
const OWN = { wire: 0, security: 10, trouble: 20, lostAcknowledgement: 30, outages: 40 }

/** The port of a suite's own broker; the two after it are for the controller and one listener more. */
export const ownKafkaPort = (suite: keyof typeof OWN): number =>
  Number(process.env.KAFKA_FAULT_PORT ?? 19_500) + OWN[suite]

/** A new broker that runs, to be stopped and killed without disturbing anybody; `wipe` ends it. */
export async function ownKafka(
  suite: keyof typeof OWN,
  settings: Readonly<Record<string, string>> = {},
): Promise<KafkaDev> {
  const broker = kafkaDev({ KAFKA_PORT: String(ownKafkaPort(suite)), KAFKA_HEAP: '256m', ...settings })
  await broker('wipe')
  await broker('start')
  return broker
}

/** KAFKA_DEV_CONTROL=1: brokers may be started, and what is started may be stopped and killed. */
export const mayStartKafka = process.env.KAFKA_BROKERS !== undefined && process.env.KAFKA_DEV_CONTROL === '1'
