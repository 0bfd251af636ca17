/** Of the sentences that inspectors read. */
export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

const NO_BREAK = '\u00a0';

/** A figure and its unit stay on one line, as French also wants of what stands before a colon or semicolon. */
export const keptTogether = (sentence: string): string =>
  sentence.replace(/(?<=\d) (?=(?:%|k?W|k?Wh|V)(?!\w))| (?=[:;])/g, NO_BREAK);
