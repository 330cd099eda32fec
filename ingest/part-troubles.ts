type TellTrouble = (trouble: string | undefined) => void

/** The parts of one source have troubles of their own: the operator hears of all there are, and of none that is over. */
export function partTroubles(tell: TellTrouble): (part: string) => TellTrouble {
  const troubles = new Map<string, string>()
  return (part) => (trouble) => {
    if (trouble === undefined) troubles.delete(part)
    else troubles.set(part, trouble)
    tell(troubles.size === 0 ? undefined : [...troubles.values()].join('; '))
  }
}
