// Keys and headers of records may be anybody's. PostgreSQL's text and jsonb take everything but NUL.

export const printable = (text: string): string => text.replaceAll('\0', '\ufffd')

export const printableJson = (value: unknown): string => JSON.stringify(value).replaceAll('\\u0000', '\\ufffd')
