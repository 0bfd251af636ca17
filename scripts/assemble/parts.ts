export interface Part {
  /** Holds the package.json that names what this part needs. */
  readonly folder: string;
  /** The programs of the installation. */
  readonly entries: readonly string[];
  /** Whether what a source imports belongs to this part. */
  readonly enters: (file: string, from: string) => boolean;
}

/** Commands that work at the centre, `cloud` apart; the others load what only a gateway has. */
const AT_THE_CENTRE: readonly string[] = ['agent/commands/config.ts'];
const COMMANDS = 'agent/commands/';

/** The two installations that are made from this repository. */
export const PARTS = {
  gateway: { folder: 'agent', entries: ['agent/main.ts'], enters: () => true },
  centre: {
    folder: 'cloud-sync',
    entries: ['agent/main.ts', 'cloud-sync/main.ts'],
    enters: (file, from) => from !== 'agent/main.ts' || !file.startsWith(COMMANDS) || AT_THE_CENTRE.includes(file),
  },
} as const satisfies Readonly<Record<string, Part>>;

export type PartName = keyof typeof PARTS;
