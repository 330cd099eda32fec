import type { SourceMark, SourceMarks } from '../platform/store/stream-checkpoints.ts'

/** Prints may come this much out of order without anything waiting for them being wrong. */
export const OUT_OF_ORDER_MAX_MS = 5_000
/** Per partition. When there are more, the one whose watermark is oldest leaves: it would be taken as new if it came back. */
export const SOURCES_MAX = 64

interface Mark {
  position: number
  watermarkMs: number
  seenAtMs: number
}

/**
 * How far each source has come in one partition: what was seen before, and which event time has passed. Moves record by
 * record, so it is the same wherever batches are cut.
 */
export class SourceProgress {
  readonly #marks = new Map<string, Mark>()
  /** Records of one source come in runs. */
  #last: { source: string; mark: Mark } | undefined

  constructor(marks: SourceMarks = new Map()) {
    for (const [source, mark] of marks) this.#marks.set(source, { ...mark })
  }

  /** Takes note of a record. False where it was seen before; then nothing moves. */
  admit(source: string, position: number, eventTimeMs: number, seenAtMs: number): boolean {
    const mark = this.#mark(source)
    if (position >= 0 && position <= mark.position) return false
    if (position > mark.position) mark.position = position
    const watermarkMs = eventTimeMs - OUT_OF_ORDER_MAX_MS
    if (watermarkMs > mark.watermarkMs) mark.watermarkMs = watermarkMs
    mark.seenAtMs = seenAtMs
    return true
  }

  /** Moves the watermark of a source that is silent here. Never back, and never for one that was not seen here. */
  follow(source: string, watermarkMs: number): void {
    const mark = this.#marks.get(source)
    if (mark && watermarkMs > mark.watermarkMs) mark.watermarkMs = watermarkMs
  }

  /** -Infinity where the source was never seen, or not for so long that it had to leave. */
  watermarkMs(source: string): number {
    const mark = this.#last?.source === source ? this.#last.mark : this.#marks.get(source)
    return mark?.watermarkMs ?? Number.NEGATIVE_INFINITY
  }

  has(source: string): boolean {
    return this.#marks.has(source)
  }

  snapshot(): ReadonlyMap<string, SourceMark> {
    const marks = new Map<string, SourceMark>()
    for (const [source, mark] of this.#marks) marks.set(source, { ...mark })
    return marks
  }

  #mark(source: string): Mark {
    if (this.#last?.source === source) return this.#last.mark
    const mark = this.#marks.get(source) ?? this.#enter(source)
    this.#last = { source, mark }
    return mark
  }

  #enter(source: string): Mark {
    if (this.#marks.size >= SOURCES_MAX) this.#marks.delete(this.#oldest())
    const mark = { position: -1, watermarkMs: Number.NEGATIVE_INFINITY, seenAtMs: 0 }
    this.#marks.set(source, mark)
    return mark
  }

  #oldest(): string {
    let oldest = ''
    let lowestMs = Number.POSITIVE_INFINITY
    for (const [source, { watermarkMs }] of this.#marks)
      if (watermarkMs < lowestMs) {
        lowestMs = watermarkMs
        oldest = source
      }
    return oldest
  }
}
