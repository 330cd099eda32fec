/**
 * Whether the work ended in time; rejects where it rejected in time. What ends later goes on alone, and nobody hears of it.
 * Leaves no timer behind that would keep the process alive.
 */
export async function endsWithin(timeMs: number, work: Promise<unknown>): Promise<boolean> {
  const over = Promise.withResolvers<false>()
  const timer = setTimeout(() => over.resolve(false), timeMs)
  const ended = work.then(() => true)
  try {
    return await Promise.race([ended, over.promise])
  } finally {
    clearTimeout(timer)
    ended.catch(() => undefined)
  }
}
