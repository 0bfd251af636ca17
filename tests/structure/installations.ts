import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Reach, reachFrom } from '../../scripts/source-tree/reach.js';
import type { Source } from '../../scripts/source-tree/tree.js';
import { INSTALLATIONS, type Installation, type Unused } from './layers.js';

const versions = z.record(z.string(), z.string()).default({});
/** What somebody may add is declared as a peer. */
const manifestShape = z.object({ dependencies: versions, optionalDependencies: versions, peerDependencies: versions });

interface Manifest {
  readonly folder: string;
  /** With their versions, the optional ones too. */
  readonly dependencies: ReadonlyMap<string, string>;
}

export function readManifests(root: string): readonly Manifest[] {
  return INSTALLATIONS.map(({ folder }) => {
    const text = readFileSync(join(root, folder, 'package.json'), 'utf8');
    const { dependencies, optionalDependencies, peerDependencies } = manifestShape.parse(JSON.parse(text));
    const all = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    return { folder, dependencies: new Map(Object.entries(all)) };
  });
}

type Tree = ReadonlyMap<string, Source>;

/** Each of the two programs declares what it loads, all of it and nothing else. */
export function faultsOfInstallations(root: string, tree: Tree, notYetUsed: readonly Unused[]): readonly string[] {
  const manifests = readManifests(root);
  return INSTALLATIONS.flatMap((installation) => {
    const declared =
      manifests.find(({ folder }) => folder === installation.folder)?.dependencies ?? new Map<string, string>();
    const reached = reachFrom(installation, tree).packages;
    const excused = notYetUsed.filter(({ folder }) => folder === installation.folder);
    return [
      ...installation.entries.filter((entry) => !tree.has(entry)).map((entry) => `${entry} is missing`),
      ...looseVersions(installation, declared),
      ...undeclared(installation, declared, reached),
      ...unused(installation, declared, reached, excused),
    ];
  });
}

function looseVersions({ folder }: Installation, declared: ReadonlyMap<string, string>): readonly string[] {
  return [...declared]
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${folder}/package.json does not pin ${name} (${version})`);
}

type Reached = Reach['packages'];

function undeclared({ folder, never }: Installation, declared: ReadonlyMap<string, string>, reached: Reached) {
  return [...reached].flatMap(([name, path]) => {
    const trail = `${path.join(' → ')} → ${name}`;
    if (never.some((start) => name.startsWith(start)))
      return [`the installation of ${folder}/ must not load ${name}: ${trail}`];
    return declared.has(name) ? [] : [`${folder}/package.json does not declare ${name}: ${trail}`];
  });
}

function unused(
  { folder }: Installation,
  declared: ReadonlyMap<string, string>,
  reached: Reached,
  excused: readonly Unused[],
): readonly string[] {
  const excuses = new Set(excused.map(({ name }) => name));
  const idle = [...declared.keys()].filter((name) => !reached.has(name));
  return [
    ...idle
      .filter((name) => !excuses.has(name))
      .map((name) => `${folder}/package.json declares ${name}, which nothing loads`),
    ...[...excuses]
      .filter((name) => !idle.includes(name))
      .map((name) => `${name} of ${folder}/ stands in NOT_YET_USED of tests/structure/layers.ts without need`),
  ];
}
