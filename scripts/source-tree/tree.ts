import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Import, type Scan, scanImports } from './imports.js';

/** One import of one file: either of another file of the project or of a package. */
export interface Edge {
  readonly from: string;
  readonly kind: Import['kind'];
  readonly specifier: string;
  /** Path from the root; undefined for a package. */
  readonly file: string | undefined;
  /** Name of the package; undefined for a file and for what Node.js brings. */
  readonly name: string | undefined;
}

export interface Source {
  readonly file: string;
  readonly scan: Scan;
  readonly edges: readonly Edge[];
}

/** Every TypeScript file below the folders, with what it imports. */
export function readTree(root: string, folders: readonly string[]): ReadonlyMap<string, Source> {
  const files = new Set(folders.flatMap((folder) => typescriptBelow(root, folder)));
  return new Map([...files].map((file) => [file, readSource(root, file, files)]));
}

/** A test beside the code, or what such tests share. */
export const isTest = (file: string): boolean => /\.(test|fixture)\.ts$/.test(file);

function typescriptBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : typescriptBelow(root, path);
    return /\.[cm]?tsx?$/.test(entry.name) ? [path] : [];
  });
}

function readSource(root: string, file: string, files: ReadonlySet<string>): Source {
  const scan = scanImports(readFileSync(join(root, file), 'utf8'));
  return { file, scan, edges: scan.imports.map((found) => edgeOf(file, found, files)) };
}

function edgeOf(from: string, { specifier, kind }: Import, files: ReadonlySet<string>): Edge {
  const edge = { from, kind, specifier, file: undefined, name: undefined };
  if (/^\.\.?(\/|$)/.test(specifier) || kind === 'file') {
    const target = posix.normalize(posix.join(posix.dirname(from), specifier));
    const declarations = target.replace(/\.js$/, '.d.ts');
    return { ...edge, file: files.has(declarations) ? declarations : target.replace(/\.js$/, '.ts') };
  }
  if (specifier.startsWith('node:')) return edge;
  const parts = specifier.split('/');
  return { ...edge, name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}
