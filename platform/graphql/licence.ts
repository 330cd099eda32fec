import { registerEnumType } from 'type-graphql'
import type { Licence } from '../../domain/vendors.ts'

/** Every subgraph that shows facts has it, with the same words. */
export const LicenceEnum = {
  REDISTRIBUTABLE: 'REDISTRIBUTABLE',
  DELAYED: 'DELAYED',
  PERSONAL: 'PERSONAL',
} as const satisfies { [L in Licence]: L }

registerEnumType(LicenceEnum, {
  name: 'Licence',
  description: 'What may be done with a fact, by the terms of whoever told it.',
  valuesConfig: {
    REDISTRIBUTABLE: { description: 'May be shown to anybody, with the attribution beside it.' },
    DELAYED: { description: "Told late by its vendor's own terms, and for own use." },
    PERSONAL: { description: 'For the own use of whoever holds the key or runs the platform.' },
  },
})
