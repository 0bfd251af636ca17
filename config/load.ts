import { dirname, resolve } from 'node:path';
import { WattwardenError } from '../agent/domain/errors.js';
import { type Environment, type Override, readEnvironment } from './environment.js';
import { faultsOf } from './faults.js';
import { type ConfigFile, isSection, readConfigFile } from './file.js';
import { KEYS } from './keys.js';
import { type Settings, settingsSchema } from './schema.js';

interface Sources {
  readonly file?: string | undefined;
  readonly env: Environment;
}

type Values = Record<string, unknown>;

/**
 * The settings of one process: defaults, then the file, then the environment. Every fault is reported at once.
 * A relative path in the file, or a default one, is relative to the file's directory; one from the environment, and
 * all of them where there is no file, to the working directory.
 */
export function loadSettings({ file: named, env }: Sources): Settings {
  const file = named ?? (env['WATTWARDEN_CONFIG'] || undefined);
  const written: ConfigFile = file === undefined ? { data: {}, exposed: false } : readConfigFile(file);
  const { overrides, faults: strange } = readEnvironment(env);
  const sources = new Map(overrides.map(({ key, variable }) => [key.path.join('.'), variable]));
  const input = overlaid(written.data, overrides);
  const find = (path: readonly PropertyKey[]) => ({
    value: valueAt(input, path),
    variable: sources.get(path.join('.')),
  });
  const parsed = settingsSchema.safeParse(input);
  const broken = parsed.error?.issues.flatMap((issue) => faultsOf(issue, find)) ?? [];
  const faults = [...broken, ...exposedSecrets(written), ...strange];
  if (!parsed.success || faults.length > 0) throw new WattwardenError('config.invalid', faults.join('\n'));
  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  return withAbsolutePaths(parsed.data, (name) => (sources.has(name) ? process.cwd() : base));
}

/** What the environment sets laid over what the file says; neither is changed. */
function overlaid(data: Readonly<Values>, overrides: readonly Override[]): Values {
  const result = structuredClone(data) as Values;
  const fromEnvironment = new Set(overrides.map(({ key }) => key.path.join('.')));
  for (const { key, value } of overrides) {
    const section = sectionOf(result, key.path);
    const name = key.path.at(-1);
    if (section === undefined || name === undefined) continue;
    section[name] = value;
    // A password from one source replaces the file that the other names, and the reverse.
    const other = counterpart(key.path);
    if (other !== undefined && !fromEnvironment.has(other.join('.'))) delete section[other.at(-1) ?? ''];
  }
  return result;
}

/** `sync.password` for `sync.password_file` and the reverse; undefined for what is no secret. */
function counterpart(path: readonly string[]): readonly string[] | undefined {
  const name = path.join('.');
  const secret = KEYS.find((key) => key.secret && [key.path.join('.'), `${key.path.join('.')}_file`].includes(name));
  if (secret === undefined) return undefined;
  const [last = '', ...above] = secret.path.toReversed();
  return [...above.toReversed(), secret.path.join('.') === name ? `${last}_file` : last];
}

/** The section that holds the last name of `path`, made where it is missing; undefined where something else stands. */
function sectionOf(values: Values, path: readonly string[]): Values | undefined {
  let section = values;
  for (const name of path.slice(0, -1)) {
    section[name] ??= {};
    const next = section[name];
    if (!isSection(next)) return undefined;
    section = next;
  }
  return section;
}

function exposedSecrets({ data, exposed }: ConfigFile): readonly string[] {
  if (!exposed) return [];
  return KEYS.filter(({ secret, path }) => secret && valueAt(data, path) !== undefined).map(
    ({ path }) =>
      `${path.join('.')}: may stand in a file only if nobody but its owner can read it (chmod 600), or use ${path.join('.')}_file`,
  );
}

function withAbsolutePaths(settings: Settings, baseOf: (name: string) => string): Settings {
  const result = structuredClone(settings);
  for (const { path } of KEYS.filter(({ isPath }) => isPath)) {
    const value = valueAt(result, path);
    const section = sectionOf(result, path);
    const name = path.at(-1);
    if (typeof value !== 'string' || section === undefined || name === undefined) continue;
    section[name] = resolve(baseOf(path.join('.')), value);
  }
  return result;
}

const valueAt = (values: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, name) => {
    if (Array.isArray(value) && typeof name === 'number') return value[name];
    return isSection(value) && Object.hasOwn(value, name) ? value[String(name)] : undefined;
  }, values);
