import { KEYS, type Key } from './keys.js';
import { nearest } from './suggest.js';
import { parseYaml } from './yaml-text.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of ours that are no setting. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  WATTWARDEN_CONFIG: 'The configuration file, where `--config` does not name one.',
  WATTWARDEN_TIMESCALE_URL: 'For the tests: a TimescaleDB that they may fill and empty.',
};

export interface Override {
  readonly key: Key;
  readonly variable: string;
  readonly value: unknown;
}

/** What the environment sets. An empty variable counts as not set, as compose files write those that are missing. */
export function readEnvironment(env: Environment): { overrides: readonly Override[]; faults: readonly string[] } {
  const known = new Map(
    KEYS.flatMap((key) => (key.environment === undefined ? [] : [[key.environment, key] as const])),
  );
  const overrides: Override[] = [];
  const faults: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('WATTWARDEN_') || variable in OTHER_VARIABLES || text === undefined) continue;
    const key = known.get(variable);
    if (key === undefined) {
      const suggestion = nearest(variable, [...known.keys(), ...Object.keys(OTHER_VARIABLES)]);
      faults.push(`${variable}: is not a setting${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`);
    } else if (text !== '') {
      const parsed = parsedAs(key, text);
      if (parsed.ok) overrides.push({ key, variable, value: parsed.value });
      else faults.push(...parsed.faults.map((fault) => `${variable}: ${fault}`));
    }
  }
  // A whole section first, so that a variable for one of its keys has the last word.
  overrides.sort((a, b) => a.key.path.length - b.key.path.length);
  return { overrides, faults };
}

type Parsed = { ok: true; value: unknown } | { ok: false; faults: readonly string[] };

/** A text that is not of the key's kind is passed on as it is: the schema says what is wrong with it. */
function parsedAs(key: Key, text: string): Parsed {
  switch (key.kind) {
    case 'list':
    case 'section':
      return parseYaml(text);
    case 'integer':
    case 'number':
      return { ok: true, value: text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text) };
    case 'boolean':
      return { ok: true, value: text === 'true' ? true : text === 'false' ? false : text };
    case 'text':
      return { ok: true, value: text };
  }
}
