import { ProviderDay } from './provider-day.ts'
import type { QuotaSpent, QuotaWindow } from './quota.ts'

/** A request near a provider's midnight counts for both days: nobody's clock is exact, and requests take their time. */
export const DAY_SKEW_MS = 60_000

type SlidingWindow = Extract<QuotaWindow, { kind: 'sliding' }>
interface DayWindow {
  readonly requests: number
  readonly day: ProviderDay
}

/**
 * What one key has spent, and when there is room again. A request takes its place when it is sent and keeps it until so
 * long after its answer: it reached the provider some time in between, and only so can no window there ever hold too many.
 */
export class Spent {
  readonly #sliding: readonly SlidingWindow[]
  readonly #days: readonly DayWindow[]
  readonly #recentMax: number
  /** When the newest requests ended, ascending. */
  #recentMs: number[] = []
  #byDay = new Map<string, number>()
  #underWay = 0

  constructor(windows: readonly QuotaWindow[]) {
    this.#sliding = windows.filter((window) => window.kind === 'sliding')
    this.#days = windows.flatMap((window) =>
      window.kind === 'day' ? [{ requests: window.requests, day: new ProviderDay(window.timeZone) }] : [],
    )
    this.#recentMax = Math.max(1, ...this.#sliding.map(({ requests }) => requests))
  }

  /** Continues from what was stored. Nothing stored can have happened after `latestMs`, whatever a clock said then. */
  restore(stored: QuotaSpent, latestMs: number): void {
    this.#recentMs = stored.recentMs.map((timeMs) => Math.min(timeMs, latestMs)).toSorted((a, b) => a - b)
    this.#byDay = new Map(Object.entries(stored.days))
  }

  /** What to store so that it holds `extra` more requests than were made, all of them until `untilMs`. */
  snapshot(extra: number, nowMs: number, untilMs: number): Pick<QuotaSpent, 'recentMs' | 'days'> {
    const ahead = Array.from({ length: this.#underWay + extra }, () => untilMs)
    const days = new Map<string, number>()
    const add = (key: string, count: number) => days.set(key, (days.get(key) ?? 0) + count)
    for (const [key, count] of this.#byDay) if (this.#isCurrent(key, nowMs)) add(key, count)
    for (const key of this.#daysBetween(nowMs, untilMs)) add(key, extra)
    return { recentMs: [...this.#recentMs, ...ahead].slice(-this.#recentMax), days: Object.fromEntries(days) }
  }

  /** Must only be called where there is room. The days it counts for are needed to end it. */
  begin(nowMs: number): readonly string[] {
    this.#underWay++
    const days = this.daysOf(nowMs)
    this.#count(days, 1)
    return days
  }

  /** Every day that a request of that moment could be counted for. */
  daysOf(timeMs: number): readonly string[] {
    return this.#daysBetween(timeMs, timeMs)
  }

  /** `days` as `begin` gave them. */
  end(days: readonly string[], nowMs: number): void {
    this.#underWay--
    // What was reserved before a restart may lie a moment ahead of it.
    const after = this.#recentMs.findLastIndex((timeMs) => timeMs <= nowMs)
    this.#recentMs.splice(after + 1, 0, nowMs)
    if (this.#recentMs.length > this.#recentMax) this.#recentMs.shift()
    this.#count(
      this.daysOf(nowMs).filter((day) => !days.includes(day)),
      1,
    )
    for (const key of this.#byDay.keys()) if (!this.#isCurrent(key, nowMs)) this.#byDay.delete(key)
  }

  /** It never left this machine. */
  undo(days: readonly string[]): void {
    this.#underWay--
    this.#count(days, -1)
  }

  /** The earliest moment with room for so many in every window; for as many as the window allows where that is fewer. */
  freeAtMs(count: number, nowMs: number): number {
    this.#followClock(nowMs)
    let freeMs = nowMs
    for (const window of this.#sliding) freeMs = Math.max(freeMs, this.#slidingFreeAtMs(window, count, nowMs))
    for (const window of this.#days)
      if (this.#dayLeft(window, nowMs) < Math.min(count, window.requests))
        freeMs = Math.max(freeMs, window.day.endOf(nowMs) + DAY_SKEW_MS)
    return freeMs
  }

  /** How many could go now. */
  free(nowMs: number): number {
    const left = [
      ...this.#sliding.map((window) => this.slidingLeft(window, nowMs)),
      ...this.#days.map((window) => this.#dayLeft(window, nowMs)),
    ]
    return Math.max(0, Math.min(...left))
  }

  slidingLeft({ requests, perMs }: SlidingWindow, nowMs: number): number {
    const used = this.#recentMs.filter((timeMs) => timeMs >= nowMs - perMs).length + this.#underWay
    return Math.max(0, requests - used)
  }

  /** Of the day window with the least left; undefined where days are not counted. */
  today(nowMs: number): { readonly left: number; readonly requests: number; readonly endsAtMs: number } | undefined {
    const left = this.#days.map((window) => ({
      left: Math.max(0, this.#dayLeft(window, nowMs)),
      requests: window.requests,
      endsAtMs: window.day.endOf(nowMs),
    }))
    return left.toSorted((a, b) => a.left - b.left)[0]
  }

  get lastMs(): number | undefined {
    return this.#recentMs.at(-1)
  }

  /** A clock that was set back must not keep us waiting until it is as late again. */
  #followClock(nowMs: number): void {
    const newestMs = this.#recentMs.at(-1)
    if (newestMs !== undefined && newestMs > nowMs + DAY_SKEW_MS)
      this.#recentMs = this.#recentMs.map((timeMs) => Math.min(timeMs, nowMs))
  }

  #slidingFreeAtMs({ requests, perMs }: SlidingWindow, count: number, nowMs: number): number {
    const others = requests - Math.min(count, requests)
    // Those under way end now at the earliest; whoever waits looks again then.
    const times = [...this.#recentMs, ...Array.from({ length: this.#underWay }, () => nowMs)]
    const inTheWay = times.at(-(others + 1))
    return inTheWay === undefined ? nowMs : Math.max(nowMs, inTheWay + perMs + 1)
  }

  #dayLeft({ requests, day }: DayWindow, nowMs: number): number {
    const used = this.#datesBetween(day, nowMs, nowMs).map((date) => this.#byDay.get(`${day.timeZone} ${date}`) ?? 0)
    return requests - Math.max(...used)
  }

  #daysBetween(fromMs: number, toMs: number): readonly string[] {
    return this.#days.flatMap(({ day }) =>
      this.#datesBetween(day, fromMs, toMs).map((date) => `${day.timeZone} ${date}`),
    )
  }

  #datesBetween(day: ProviderDay, fromMs: number, toMs: number): readonly string[] {
    const first = day.dateOf(fromMs - DAY_SKEW_MS)
    const last = day.dateOf(toMs + DAY_SKEW_MS)
    return first === last ? [first] : [first, last]
  }

  /** Not over yet by anybody's clock. */
  #isCurrent(key: string, nowMs: number): boolean {
    return this.#days.some(
      ({ day }) => key >= `${day.timeZone} ${day.dateOf(nowMs - DAY_SKEW_MS)}` && key.startsWith(`${day.timeZone} `),
    )
  }

  #count(days: readonly string[], change: number): void {
    for (const day of days) this.#byDay.set(day, Math.max(0, (this.#byDay.get(day) ?? 0) + change))
  }
}
