import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Edge, isTest, readTree, type Source } from '../../scripts/source-tree/tree.js';
import { findCycles } from './cycles.js';
import { faultsOfInstallations, readManifests } from './installations.js';
import { DEVELOPMENT, DOORS, LAYERS, type Layer, PACKAGE_HOMES, TOP_LEVEL, type Unused } from './layers.js';

const FOLDERS = ['agent', 'cloud-sync', 'models', 'config', 'scripts', 'tests'];

interface Rules {
  readonly notYetUsed: readonly Unused[];
}

/** Everything in which a checkout differs from the table of layers; one sentence for each. */
export function structureFaults(root: string, { notYetUsed }: Rules): readonly string[] {
  const tree = readTree(root, FOLDERS);
  const product = [...tree.values()].filter(({ file }) => isProduct(file));
  return [
    ...topLevelFaults(root),
    ...[...tree.values()].flatMap((source) => sourceFaults(root, source)),
    ...product.flatMap((source) => productFaults(root, source)),
    ...findCycles(tree).map((cycle) => `files import each other in a circle: ${cycle.join(' → ')}`),
    ...faultsOfInstallations(root, tree, notYetUsed),
  ];
}

const isProduct = (file: string): boolean => !isTest(file) && !DEVELOPMENT.includes(topOf(file));

function topLevelFaults(root: string): readonly string[] {
  const known = [...TOP_LEVEL.required, ...TOP_LEVEL.also, ...TOP_LEVEL.generated];
  const there = readdirSync(root).filter((name) => !name.startsWith('.'));
  return [
    ...TOP_LEVEL.required.filter((name) => !there.includes(name)).map((name) => `${name} is missing at the top level`),
    ...there.filter((name) => !known.includes(name)).map((name) => `${name} has no place at the top level`),
  ];
}

/** Rules that hold for every file, tests and scripts too. */
function sourceFaults(root: string, { file, edges }: Source): readonly string[] {
  return edges.flatMap((edge) => {
    if (edge.file === undefined || isAsset(edge.kind, edge.file)) return [];
    const there = existsSync(join(root, edge.file));
    return there ? directionFault(edge, edge.file) : [`${file} asks for ${edge.file}, which is not there`];
  });
}

/** What an address names is no import when it is no code, or when only the build makes it. */
const isAsset = (kind: Edge['kind'], file: string): boolean =>
  kind === 'file' && (!file.endsWith('.ts') || file.startsWith('dist/'));

function directionFault(edge: Edge, target: string): readonly string[] {
  const from = layerOf(edge.from);
  const to = layerOf(target);
  if (from === undefined || to === undefined) {
    return [`${from === undefined ? edge.from : target} stands in no layer of tests/structure/layers.ts`];
  }
  const allowed = from === to || to.folder === 'agent/domain' || from.imports.some((place) => isBelow(target, place));
  if (allowed || isTestSupport(edge.from, target)) return [];
  return [`${edge.from} imports ${target}: ${from.folder}/ may not import ${to.folder}/ (it never ${from.never})`];
}

/** A unit test may use what tests share, and the scripts that give it a real counterpart. */
const isTestSupport = (from: string, target: string): boolean => isTest(from) && DEVELOPMENT.includes(topOf(target));

function productFaults(root: string, { file, scan, edges }: Source): readonly string[] {
  const manifests = readManifests(root);
  const declared = new Set(manifests.flatMap(({ dependencies }) => [...dependencies.keys()]));
  const packages = edges.flatMap(({ name }) => name ?? []);
  return [
    ...edges
      .filter((edge) => edge.file !== undefined && isTest(edge.file))
      .map((edge) => `${file} imports ${edge.file}, which is there for tests only`),
    ...(scan.unknown && !DOORS.includes(file) ? [`${file} imports a module that it names at run time only`] : []),
    ...packages
      .filter((name) => !isAtHome(file, name))
      .map((name) => `${file} imports ${name}: only ${PACKAGE_HOMES[name]}/ may`),
    ...packages
      .filter((name) => !declared.has(name))
      .map((name) => `${file} imports ${name}, which no installation declares`),
    ...(file.startsWith('agent/ui/') && packages.length > 0 ? [`${file} imports a package into the browser`] : []),
  ];
}

function isAtHome(file: string, name: string): boolean {
  const home = PACKAGE_HOMES[name];
  return home === undefined || isBelow(file, home);
}

/** Only its own files are the layer `agent`; every other layer has all that lies below it. */
export function layerOf(file: string): Layer | undefined {
  const fitting = LAYERS.filter(({ folder }) => isBelow(file, folder));
  const longest = fitting.sort((a, b) => b.folder.length - a.folder.length)[0];
  const strayed = longest?.folder === 'agent' && file.split('/').length > 2;
  return strayed ? undefined : longest;
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const topOf = (file: string): string => file.split('/')[0] ?? '';
