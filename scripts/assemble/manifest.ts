import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Part } from './parts.js';

const versions = z.record(z.string(), z.string());
const partShape = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  engines: versions,
  dependencies: versions,
  optionalDependencies: versions.optional(),
});
const rootShape = z.object({
  bin: versions,
  allowScripts: z.record(z.string(), z.boolean()),
  overrides: z.record(z.string(), z.unknown()),
});

export type Manifest = z.infer<typeof partShape> & { readonly bin: Readonly<Record<string, string>> };

export const readManifest = (root: string, { folder }: Part): Manifest => ({
  ...partShape.parse(readJson(join(root, folder, 'package.json'))),
  bin: rootShape.parse(readJson(join(root, 'package.json'))).bin,
});

/** The package.json of an installation: the part's own, and what the root says of packages that it gets. */
export function installedManifest(root: string, manifest: Manifest, installed: ReadonlySet<string>): object {
  const { allowScripts, overrides } = rootShape.parse(readJson(join(root, 'package.json')));
  const ofThese = (table: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(table).filter(([name]) => installed.has(name)));
  const { name, version, description, license, engines, bin, dependencies, optionalDependencies } = manifest;
  return {
    ...{ name, version, description, license, private: true, type: 'module', engines, bin, dependencies },
    ...(optionalDependencies === undefined ? {} : { optionalDependencies }),
    allowScripts: ofThese(allowScripts),
    overrides: ofThese(overrides),
  };
}

export const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
