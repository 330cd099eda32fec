import { type Licence, VENDORS } from '../../../domain/vendors.ts'

/** Ids of indices, ratings' yields and surveys by their owners' habits. */
const OWNED_IDS =
  /^(SP500|DJ[ITUC]A|NASDAQ|NIKKEI|WILL|VIX|VX[NODV]|GVZ|OVX|EVZ|RVX|BAML|[DW]?[AB]AA|CSUSHPI|SPCS|[A-Z]*XRSA$|UMCSENT|MICH$|GOLD|SLVP|USD\d+MD|ICE)/
const OWNERS =
  /\b(S&P|Standard (?:&|and) Poor|Dow Jones|NASDAQ|ICE BofA|ICE Data|BofA Merrill|Moody|Nikkei|CBOE|Chicago Board Options|Wilshire|University of Michigan|LBMA|Haver|copyright|reprinted with permission)|©/i

/**
 * Series that FRED shows by somebody else's leave may be looked at by whoever asked for them and not be passed on. In doubt
 * they are somebody else's: an id, a title or a note that names an owner is enough.
 */
export function licenceOfSeries(seriesId: string, title: string, notes: string): Licence {
  const owned = OWNED_IDS.test(seriesId) || OWNERS.test(title) || OWNERS.test(notes)
  return owned ? 'PERSONAL' : VENDORS.fred.licence
}
