// What a pair is belongs to the domain; sources are at home here.
export { isFxPair, type Pair, pairOf } from '../domain/currencies.ts'
