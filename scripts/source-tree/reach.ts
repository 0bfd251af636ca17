import type { Source } from './tree.js';

export interface Reach {
  /** Sources that are loaded. */
  readonly files: ReadonlySet<string>;
  /** What is named by its address and is no source: a folder of the page, a bundle; seen from the top of dist/. */
  readonly assets: ReadonlySet<string>;
  /** Packages by the path of files that leads to each. */
  readonly packages: ReadonlyMap<string, readonly string[]>;
}

interface Start {
  readonly entries: readonly string[];
  /** Whether what a source imports belongs to it. */
  readonly enters: (file: string, from: string) => boolean;
}

/** Follows code and the workers that are named by their address; types are gone when the program runs. */
export function reachFrom({ entries, enters }: Start, tree: ReadonlyMap<string, Source>): Reach {
  const files = new Set<string>();
  const assets = new Set<string>();
  const packages = new Map<string, readonly string[]>();
  const waiting = entries.map((file) => ({ file, path: [file] }));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { file, path } = next;
    if (files.has(file)) continue;
    files.add(file);
    for (const edge of tree.get(file)?.edges ?? []) {
      if (edge.kind === 'type') continue;
      if (edge.name !== undefined && !packages.has(edge.name)) packages.set(edge.name, path);
      if (edge.file === undefined) continue;
      if (tree.has(edge.file)) {
        if (enters(edge.file, file)) waiting.push({ file: edge.file, path: [...path, edge.file] });
      } else if (edge.kind === 'file') assets.add(edge.file);
    }
  }
  return { files, assets, packages };
}
