import type { Interest } from '../quota/quota.ts'

export interface SymbolsWanted {
  readonly symbols: readonly string[]
  /** Watched, but over the bound. */
  readonly leftOut: number
}

/**
 * The configured symbols in their order, then whatever else alert rules look at or somebody watches, the most wanted first
 * where there is not room for all. The same symbols are always told in the same order, however interest in them moves.
 */
export function symbolsWanted(
  configured: readonly string[],
  interest: ReadonlyMap<string, Interest>,
  symbolsMax: number,
): SymbolsWanted {
  const own = [...new Set(configured)].slice(0, symbolsMax)
  const others = [...interest].filter(([symbol]) => !own.includes(symbol))
  const room = symbolsMax - own.length
  const most = ([, a]: [string, Interest], [, b]: [string, Interest]) =>
    b.alertRules - a.alertRules || b.watchers - a.watchers
  const chosen = others.length <= room ? others : others.toSorted(most).slice(0, room)
  return {
    symbols: [...own, ...chosen.map(([symbol]) => symbol).toSorted()],
    leftOut: new Set(configured).size - own.length + others.length - chosen.length,
  }
}
