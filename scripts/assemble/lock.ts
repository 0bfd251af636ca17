import { join } from 'node:path';
import { z } from 'zod';
import { type Manifest, readJson } from './manifest.js';

const versions = z.record(z.string(), z.string()).default({});
const entryShape = z.looseObject({
  dependencies: versions,
  optionalDependencies: versions,
  peerDependencies: versions,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).default({}),
});
const lockShape = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), z.record(z.string(), z.unknown())),
});

type Packages = z.infer<typeof lockShape>['packages'];

export interface Lock {
  readonly name: string;
  readonly version: string;
  readonly lockfileVersion: 3;
  readonly requires: true;
  readonly packages: Packages;
}

/** How npm marks why something is installed; it follows from who asks for it, and the root has more that ask. */
const MARKS = ['dev', 'optional', 'devOptional', 'peer', 'extraneous'];

/** The part of the root's package-lock.json that one installation gets: the same versions in the same places. */
export function cutLock(root: string, manifest: Manifest): Lock {
  const { lockfileVersion, packages } = lockShape.parse(readJson(join(root, 'package-lock.json')));
  const { name, version, license, engines, bin, dependencies, optionalDependencies } = manifest;
  for (const [wanted, pinned] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    const locked = packages[`node_modules/${wanted}`]?.['version'];
    if (locked !== pinned) throw new Error(`package-lock.json has ${wanted} ${locked} for every part, not ${pinned}`);
  }
  const required = placesOf(packages, Object.keys(dependencies), 'required');
  const all = placesOf(packages, [...Object.keys(dependencies), ...Object.keys(optionalDependencies ?? {})], 'all');
  const entries = [...all].sort().map((place) => {
    const bare = Object.fromEntries(Object.entries(packages[place] ?? {}).filter(([key]) => !MARKS.includes(key)));
    return [place, required.has(place) ? bare : { ...bare, optional: true }] as const;
  });
  const own = { name, version, license, dependencies, ...(optionalDependencies && { optionalDependencies }) };
  return {
    ...{ name, version, lockfileVersion, requires: true },
    packages: { '': { ...own, bin, engines }, ...Object.fromEntries(entries) },
  };
}

/** Where everything stands that these names lead to; optional ones are followed only if `all` are asked for. */
function placesOf(packages: Packages, names: readonly string[], which: 'required' | 'all'): ReadonlySet<string> {
  const places = new Set<string>();
  const waiting = names.map((name) => ({ name, from: '' }));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name, from } = next;
    const place = placeOf(packages, name, from);
    if (place === undefined) throw new Error(`package-lock.json has no ${name} for ${from || 'an installation'}`);
    if (places.has(place)) continue;
    places.add(place);
    const entry = entryShape.parse(packages[place]);
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = entry;
    const asked = [
      ...Object.keys({ ...dependencies, ...(which === 'all' ? optionalDependencies : {}) }),
      ...Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true),
    ];
    // npm names what is optional among `dependencies`, too.
    const optional = which === 'all' ? [] : Object.keys(optionalDependencies);
    waiting.push(
      ...asked.filter((wanted) => !optional.includes(wanted)).map((wanted) => ({ name: wanted, from: place })),
    );
  }
  return places;
}

/** As Node.js looks for it: beside who asks, then further up. */
function placeOf(packages: Packages, name: string, from: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (at === '') return undefined;
  }
}
