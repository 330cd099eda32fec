import DataLoader from 'dataloader'

/** One query asks for at most this many keys. */
const BATCH_SIZE_MAX = 500

/**
 * Turns a list of parents into one query. Nothing is remembered after it: a subscription lives for hours, and an answer
 * cached for its request would grow old with it. So one loader serves everybody.
 */
export const batched = <T>(find: (keys: string[]) => Promise<ReadonlyMap<string, T>>) =>
  new DataLoader<string, T | undefined>(
    async (keys) => {
      const found = await find([...new Set(keys)])
      return keys.map((key) => found.get(key))
    },
    { cache: false, maxBatchSize: BATCH_SIZE_MAX },
  )
