/**
 * What polling without a plan would have cost for the same freshness: it asks all feeds in turn, so for the freshest one to
 * be as fresh it asks every feed as often as we have asked that one.
 */
export class SavedRequests {
  readonly #asks = new Map<string, number>()
  #most = 0
  #total = 0

  asked(feed: string): void {
    const asks = (this.#asks.get(feed) ?? 0) + 1
    this.#asks.set(feed, asks)
    this.#most = Math.max(this.#most, asks)
    this.#total++
  }

  keepOnly(feeds: ReadonlySet<string>): void {
    for (const feed of this.#asks.keys()) if (!feeds.has(feed)) this.#asks.delete(feed)
  }

  of(feeds: number): number {
    return Math.max(0, feeds * this.#most - this.#total)
  }
}
