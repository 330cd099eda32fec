import { DateTime } from 'luxon'
import { PlatformError } from '../../domain/errors.ts'

/** The calendar day of a provider's clock, daylight saving included. Asked for often, so the day found last is kept. */
export class ProviderDay {
  readonly timeZone: string
  #date = ''
  #startMs = 0
  #endMs = 0

  constructor(timeZone: string) {
    if (!DateTime.local({ zone: timeZone }).isValid)
      throw new PlatformError('INVALID_ARGUMENT', `A quota's time zone must be one of IANA's, was ${timeZone}`)
    this.timeZone = timeZone
  }

  /** `2026-11-20` */
  dateOf(timeMs: number): string {
    this.#find(timeMs)
    return this.#date
  }

  /** The first moment of the day after. */
  endOf(timeMs: number): number {
    this.#find(timeMs)
    return this.#endMs
  }

  #find(timeMs: number): void {
    if (timeMs >= this.#startMs && timeMs < this.#endMs) return
    const start = DateTime.fromMillis(timeMs, { zone: this.timeZone }).startOf('day')
    this.#date = start.toFormat('yyyy-MM-dd')
    this.#startMs = start.toMillis()
    this.#endMs = start.plus({ days: 1 }).startOf('day').toMillis()
  }
}
