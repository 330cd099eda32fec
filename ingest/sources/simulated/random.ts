import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator'

const TWO_TO_32 = 2 ** 32

/** Random numbers that go on exactly where a saved state left off. */
export class Random {
  readonly #generator: JumpableRandomGenerator

  private constructor(generator: JumpableRandomGenerator) {
    this.#generator = generator
  }

  static seeded(seed: number): Random {
    return new Random(xoroshiro128plus(seed))
  }

  static from(state: readonly number[]): Random {
    return new Random(xoroshiro128plusFromState(state))
  }

  get state(): readonly number[] {
    return this.#generator.getState()
  }

  /** From 0 up to but not including 1. */
  uniform(): number {
    return (this.#generator.next() >>> 0) / TWO_TO_32
  }

  /** Mean 0, deviation 1 (Box and Muller). Always takes two numbers, so nothing is left over that a state would miss. */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }
}
