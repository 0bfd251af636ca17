import { invariant } from '../../domain/errors.js';
import { TARGETS, type Target, unitFactor, type ValueMapping } from '../../domain/feed-mapping.js';
import { type JsonPath, parseJsonPath, readPath } from '../../domain/json-path.js';
import { noValues } from '../../domain/reading.js';
import type { Sample } from './feed.js';
import { READING_FIELDS } from './native.js';
import { numberOf, type Quantity, withoutNoise } from './value.js';

export interface Found {
  readonly values: ReturnType<typeof noValues>;
  importDeltaWh?: number;
  exportDeltaWh?: number;
  /** Some path leads somewhere, be it to a value that is missing. */
  present: boolean;
  any: boolean;
  /** There is more than what all channels of a device have in common. */
  own: boolean;
  /** Entries of the longest list. */
  channels: number;
  /** What is there and can be no number. */
  wrong: string | undefined;
}

interface Reader {
  readonly target: Target;
  readonly text: string;
  readonly paths: readonly JsonPath[];
  readonly plus: readonly JsonPath[];
  readonly minus: readonly JsonPath[];
  readonly convert: (value: number) => number;
  /** Holds for every channel: they hang on one grid. A sum of all channels would not. */
  readonly shared: boolean;
}

/**
 * Reads what stands in `node`: for `channel` undefined what is no list, else that entry of every list and what all
 * channels share.
 */
export type ReadValues = (node: unknown, channel: number | undefined) => Found;

export function createReadValues(mappings: readonly ValueMapping[]): ReadValues {
  const readers = mappings.map(readerOf);
  return (node, channel) => {
    const found: Found = { values: noValues(), present: false, any: false, own: false, channels: 0, wrong: undefined };
    for (const reader of readers) {
      const value = read(reader, node, channel, found);
      if (typeof value === 'number') keep(reader, value, found);
      else if (value === 'wrong') found.wrong ??= reader.text;
    }
    return found;
  };
}

function readerOf({ as, path, plus = [], minus = [], unit, scale = 1 }: ValueMapping): Reader {
  const paths = typeof path === 'string' ? [path] : path;
  const quantity = TARGETS[as];
  return {
    target: as,
    text: paths.join(' or '),
    paths: paths.map(compiled),
    plus: plus.map(compiled),
    minus: minus.map(compiled),
    convert: conversion((unitFactor(as, unit) ?? Number.NaN) * scale, {
      perCent: unit === 'fraction_or_percent',
      sum: plus.length + minus.length > 0,
    }),
    shared: quantity === 'voltage' || quantity === 'frequency',
  };
}

export function compiled(text: string): JsonPath {
  const path = parseJsonPath(text);
  invariant(path !== undefined, `the path ${text} was checked before`);
  return path;
}

function conversion(factor: number, { perCent, sum }: { perCent: boolean; sum: boolean }): (value: number) => number {
  // A power factor above 1 is none; one of 1 % is nowhere to be found.
  if (perCent) return (value) => withoutNoise((Math.abs(value) > 1 ? value / 100 : value) * factor);
  return factor === 1 && !sum ? (value) => value : (value) => withoutNoise(value * factor);
}

function read(reader: Reader, node: unknown, channel: number | undefined, found: Found): Quantity {
  const raw = first(reader.paths, node);
  if (raw === undefined) return 'absent';
  found.present = true;
  if (Array.isArray(raw)) {
    found.channels = Math.max(found.channels, raw.length);
    if (channel === undefined) return 'absent';
  } else if (channel !== undefined && !reader.shared) return 'absent';
  const value = numberOf(entry(raw, channel));
  if (typeof value !== 'number') return value;
  let total = value;
  for (const path of reader.plus) {
    const summand = numberOf(entry(readPath(node, path), channel));
    if (typeof summand !== 'number') return summand === 'wrong' ? 'wrong' : 'missing';
    total += summand;
  }
  for (const path of reader.minus) {
    const subtrahend = numberOf(entry(readPath(node, path), channel));
    // A device that cannot feed back has no such key; a key that says nothing may have said something before.
    if (subtrahend === 'absent') continue;
    if (typeof subtrahend !== 'number') return subtrahend;
    total -= subtrahend;
  }
  return reader.convert(total);
}

function first(paths: readonly JsonPath[], node: unknown): unknown {
  for (const path of paths) {
    const raw = readPath(node, path);
    if (raw !== undefined) return raw;
  }
  return undefined;
}

const entry = (raw: unknown, channel: number | undefined): unknown =>
  channel !== undefined && Array.isArray(raw) ? raw[channel] : raw;

function keep({ target, shared }: Reader, value: number, found: Found): void {
  found.any = true;
  if (!shared) found.own = true;
  if (target === 'import_delta_wh') found.importDeltaWh = value;
  else if (target === 'export_delta_wh') found.exportDeltaWh = value;
  else found.values[READING_FIELDS[target]] = value;
}

export const deltasOf = ({ importDeltaWh, exportDeltaWh }: Found): Pick<Sample, 'importDeltaWh' | 'exportDeltaWh'> => ({
  ...(importDeltaWh === undefined ? {} : { importDeltaWh }),
  ...(exportDeltaWh === undefined ? {} : { exportDeltaWh }),
});
