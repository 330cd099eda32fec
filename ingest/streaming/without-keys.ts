import { HideKeys } from '../resilience/hide-keys.ts'
import type { Conversation } from './stream-protocol.ts'

/** Vendors may repeat a key when they refuse it: what they say becomes errors, logs and rejects, where no key belongs. */
export function withoutKeys(conversation: Conversation, keys: readonly string[]): Conversation {
  const hide = new HideKeys(keys)
  return {
    opening: () => conversation.opening(),
    read: (frame, receivedAtMs) => conversation.read(hide.inBytes(frame), receivedAtMs),
  }
}
