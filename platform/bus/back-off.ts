const PAUSE_MS = 100
const PAUSE_MAX_MS = 2_000

/** The pause before trying again: twice as long each time, up to two seconds. `attempt` counts from 1. */
export const backOffMs = (attempt: number): number => Math.min(PAUSE_MS * 2 ** (attempt - 1), PAUSE_MAX_MS)
