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
