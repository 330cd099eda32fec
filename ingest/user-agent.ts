/** Who asks: vendors may refuse who does not say so. */
export const USER_AGENT = 'investor-updates/0.1 (market data platform, self-hosted)'
