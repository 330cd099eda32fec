import { buildASTSchema, type GraphQLSchema, isEnumType, isObjectType, parse } from 'graphql'

/** A subgraph by what it prints. */
export const schemaOf = (sdl: string): GraphQLSchema => buildASTSchema(parse(sdl), { assumeValidSDL: true })

const BUILT_IN = /^(__|String$|Int$|Float$|Boolean$|ID$)/
const ROOTS = ['Query', 'Mutation', 'Subscription']

/** Every type, field, argument and value of an enum that does not say what it is. */
export function silentParts(schema: GraphQLSchema): string[] {
  const silent: string[] = []
  const look = (name: string, { description }: { readonly description?: string | null }) => {
    if (!description) silent.push(name)
  }
  for (const type of Object.values(schema.getTypeMap()).filter(({ name }) => !BUILT_IN.test(name))) {
    if (!ROOTS.includes(type.name)) look(type.name, type)
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value)
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field)
      for (const arg of field.args) look(`${type.name}.${field.name}(${arg.name})`, arg)
    }
  }
  return silent
}

/** `(after: String, first: Int): Bar!`, arguments in order of name; undefined where there is no such field. */
export function shapeOf(schema: GraphQLSchema, typeName: string, fieldName: string): string | undefined {
  const owner = schema.getType(typeName)
  const field = isObjectType(owner) ? owner.getFields()[fieldName] : undefined
  if (!field) return undefined
  const args = field.args.map(({ name, type }) => `${name}: ${type}`).sort()
  return `(${args.join(', ')}): ${field.type}`
}
