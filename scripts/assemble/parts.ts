export interface Part {
  /** Holds the package.json that names what this part needs. */
  readonly folder: string;
  /** The programs of the installation. */
  readonly entries: readonly string[];
  /** Whether a source that one of the programs imports belongs to this part. */
  readonly enters: (file: string) => boolean;
}

/** Commands that work at the centre, `cloud` apart; the others load what only a gateway has. */
const AT_THE_CENTRE: readonly string[] = ['config'];

/** The two installations that are made from this repository. */
export const PARTS = {
  gateway: { folder: 'agent', entries: ['agent/main.ts'], enters: () => true },
  centre: {
    folder: 'cloud-sync',
    entries: ['agent/main.ts', 'cloud-sync/main.ts'],
    enters: (file) =>
      !file.startsWith('agent/commands/') || AT_THE_CENTRE.some((name) => file === `agent/commands/${name}.ts`),
  },
} as const satisfies Readonly<Record<string, Part>>;

export type PartName = keyof typeof PARTS;
