import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../scripts/kafka-dev', import.meta.url))

/** Suites that run side by side, each with a broker of its own to stop and to kill: how far its ports are from the first. */
const OWN = { faults: 0, security: 10, trouble: 20, lostAcknowledgement: 30, outages: 40 }

/** The port of a suite's own broker; the two after it are free for its other listeners. */
export const ownKafkaPort = (suite: keyof typeof OWN): number =>
  Number(process.env.KAFKA_FAULT_PORT ?? 19_500) + OWN[suite]

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
