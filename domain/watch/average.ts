/** Earlier than any event: nothing of the kind has been. A number that survives being stored, which an infinity does not. */
export const NEVER_MS = -8.64e15

/**
 * How much the next value counts in an exponentially weighted moving average (Roberts, Control Chart Tests Based on Geometric
 * Moving Averages, 1959): the plain mean of the first `memory` values, then each as much as one of `memory`.
 */
export const weightOf = (countBefore: number, memory: number): number =>
  countBefore + 1 < memory ? 1 / (countBefore + 1) : 1 / memory
