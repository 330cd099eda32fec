/**
 * Each event of the source as the several it stands for, in order. `return` ends a waiting read at once, which an async
 * generator would not do before the next event.
 */
export function flatten<S, T>(
  source: AsyncIterableIterator<S>,
  split: (event: S) => readonly T[] | Promise<readonly T[]>,
): AsyncGenerator<T> {
  let waiting: Iterator<T> = [][Symbol.iterator]()
  const next = async (): Promise<IteratorResult<T, undefined>> => {
    for (;;) {
      const one = waiting.next()
      if (!one.done) return one
      const event = await source.next()
      if (event.done) return { done: true, value: undefined }
      waiting = (await split(event.value))[Symbol.iterator]()
    }
  }
  const leave = async (): Promise<IteratorResult<T, undefined>> => {
    waiting = [][Symbol.iterator]()
    await source.return?.()
    return { done: true, value: undefined }
  }
  return {
    next,
    return: leave,
    throw: async (error: unknown) => {
      await leave()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
    [Symbol.asyncDispose]: async () => {
      await leave()
    },
  }
}
