import { stringify } from 'yaml';
import { OTHER_VARIABLES } from './environment.js';
import { KEYS, type Key, withEntries } from './keys.js';
import { CONFIG_VERSION } from './schema.js';

/** For a terminal: every key with its rule, default and variable. */
export function referenceText(): string {
  return KEYS.flatMap(withEntries)
    .map((key) => [key.name, ...linesAbout(key).map((line) => `    ${line}`)].join('\n'))
    .join('\n\n');
}

function linesAbout(key: Key): readonly string[] {
  if (key.kind === 'section') return [key.documentation];
  const lines = [key.documentation, `Must be ${key.rule}. Default: ${fallbackOf(key)}.`];
  return key.environment === undefined ? lines : [...lines, key.environment];
}

/** docs/configuration.md. */
export function referencePage(): string {
  const sections = KEYS.filter((key) => key.path.length === 1 && key.kind === 'section');
  return [INTRODUCTION, ...sections.map(sectionPage), variablesPage()].join('\n');
}

const INTRODUCTION = `# Configuration

<!-- Generated from config/schema.ts by \`npm run generate\`. -->

Every key has a default; a configuration file states only what differs. Start from
\`config/wattwarden.example.yaml\`, in which every key stands as a comment.

- **Where it comes from.** The file that \`--config\` or \`WATTWARDEN_CONFIG\` names, if any; above it the environment,
  by the variables below. Lists and sections are given in the environment as YAML, \`[{ id: m1 }]\`. An empty variable
  counts as not set, and so does a key or a section without a value.
- **Faults.** Nothing starts before every key is right: an unknown key, a value that breaks its rule and an unknown
  \`WATTWARDEN_\` variable are all reported at once, as \`key: rule (got value)\`. \`wattwarden config check\` says so
  without starting, \`wattwarden config print\` shows what is in force.
- **Paths.** A relative path in the file, or a default one, is relative to the directory of the file. One from the
  environment, and all of them when there is no file, are relative to the working directory.
- **Secrets.** A password comes from its variable or from the file that its \`_file\` key names; that file must belong
  to its owner alone (mode 0600), except below \`/run/credentials\` and \`/run/secrets\`. It may stand in the
  configuration file only if that file has mode 0600 too. It is never printed.
- **Version.** Every file begins with \`version: ${CONFIG_VERSION}\`. A file of an older format is understood, and rewritten only when
  asked, with a copy of the old one kept beside it; one of a newer format is refused.
`;

function sectionPage(section: Key): string {
  const keys = KEYS.filter((key) => key.path[0] === section.path[0] && key.kind !== 'section');
  const rows = keys.flatMap((key) =>
    withEntries(key)
      .filter(({ kind }) => kind !== 'section')
      .map(row),
  );
  const head = `## ${section.name}\n\n${section.documentation} \`${section.environment ?? ''}\` takes the whole section.\n`;
  return [head, '| key | default | must be | what it is | variable |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

function row(key: Key): string {
  const variable = key.environment === undefined ? 'in the file only' : `\`${key.environment}\``;
  const cells = [`\`${key.name}\``, code(fallbackOf(key)), key.rule, inContext(key), variable];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** A key of a section inside a section is told together with what that one is. */
function inContext(key: Key): string {
  const parent = KEYS.find(({ path, kind }) => kind === 'section' && path.join() === key.path.slice(0, -1).join());
  return key.path.length > 2 && parent !== undefined
    ? `${parent.documentation} ${key.documentation}`
    : key.documentation;
}

function variablesPage(): string {
  const rows = Object.entries(OTHER_VARIABLES).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`);
  return ['## Other variables', '', '| variable | what it is |', '|---|---|', ...rows, ''].join('\n');
}

const code = (text: string): string => (text === 'not set' || text === 'must be given' ? text : `\`${text}\``);

/** A list entry without a default is not complete without its key; anything else may stay away. */
export function fallbackOf(key: Key): string {
  if (key.fallback !== undefined) return stringify(key.fallback, { lineWidth: 0, collectionStyle: 'flow' }).trim();
  return key.required ? 'must be given' : 'not set';
}
