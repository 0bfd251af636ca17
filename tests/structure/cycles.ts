import type { Source } from '../../scripts/source-tree/tree.js';

/** Each circle of imports once, as the files in its order. An address of a file that is not loaded here is no import. */
export function findCycles(tree: ReadonlyMap<string, Source>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];

  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const edge of tree.get(file)?.edges ?? []) {
      if (edge.file !== undefined && edge.kind !== 'file') visit(edge.file);
    }
    path.pop();
    done.add(file);
  };

  for (const file of tree.keys()) visit(file);
  return cycles;
}
