import {
  composeServices,
  compositionHasErrors,
  transformSupergraphToPublicSchema,
} from '@theguild/federation-composition'
import { buildASTSchema, parse, printSchema } from 'graphql'

export interface Composed {
  /** What the gateway plans by. */
  readonly supergraph: string
  /** What clients see. */
  readonly schema: string
}

/** Several subgraphs as one graph. @throws with every contradiction between them, one a line. */
export function compose(subgraphs: readonly { readonly name: string; readonly sdl: string }[]): Composed {
  const result = composeServices(
    // Where a subgraph is reached is a matter of configuration, not of the graph; this address is never called.
    subgraphs.map(({ name, sdl }) => ({ name, typeDefs: parse(sdl), url: `http://${name}.subgraph` })),
  )
  if (compositionHasErrors(result)) {
    const problems = result.errors.map((error) => `  ${error.message}`)
    throw new Error(
      `The subgraphs ${subgraphs.map(({ name }) => name).join(', ')} do not compose:\n${problems.join('\n')}`,
    )
  }
  const publicSchema = transformSupergraphToPublicSchema(parse(result.supergraphSdl))
  return {
    supergraph: `${result.supergraphSdl.trim()}\n`,
    schema: `${printSchema(buildASTSchema(publicSchema, { assumeValidSDL: true }))}\n`,
  }
}
