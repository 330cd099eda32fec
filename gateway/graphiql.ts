/** What a person finds in the browser: three tabs that work on any market. */
const EXAMPLES = [
  `# Everything that trades here, with its latest price.
query Market {
  instruments(first: 20) {
    edges {
      node {
        symbol
        name
        quote {
          price
          change
          changePercent
          eventTime
        }
      }
    }
  }
}
`,
  `# Each trade, the moment it happens.
subscription Live {
  ticks(symbols: ["AAPL", "MSFT"]) {
    symbol
    price
    size
    eventTime
  }
}
`,
  `# One-minute bars of the last day, oldest first.
query Bars {
  instrument(symbol: "AAPL") {
    name
    bars(interval: ONE_MINUTE, first: 100) {
      edges {
        node {
          start
          open
          high
          low
          close
          volume
        }
      }
    }
  }
}
`,
]

export const GRAPHIQL = {
  title: 'Investor Updates',
  // The title says it already; without this the runtime shows the logo of its maker.
  logo: '<span></span>',
  defaultTabs: EXAMPLES.map((query) => ({ query })),
  subscriptionsProtocol: 'WS',
} as const

/** Whole in one page, so it needs no network. Loaded with the first person who looks: it is ten megabytes. */
export async function renderGraphiql(options: object | undefined): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  return renderGraphiQL(options)
}
