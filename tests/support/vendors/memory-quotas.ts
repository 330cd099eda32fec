import type { QuotaSpent, QuotaStore } from '../../../ingest/quota/quota.ts'

/** Holds what was saved as JSON would: nothing of it changes with what is saved later. */
export class MemoryQuotas implements QuotaStore {
  readonly saved = new Map<string, string>()
  saves = 0

  async load(name: string): Promise<QuotaSpent | undefined> {
    const text = this.saved.get(name)
    return text === undefined ? undefined : JSON.parse(text)
  }

  async save(name: string, spent: QuotaSpent): Promise<void> {
    this.saves++
    this.saved.set(name, JSON.stringify(spent))
  }
}
