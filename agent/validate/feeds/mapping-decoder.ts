import { type EpochMs, epochMs } from '../../domain/brand.js';
import { invariant } from '../../domain/errors.js';
import type { Condition, Mapping, TimeMapping } from '../../domain/feed-mapping.js';
import type { MeterFlag } from '../../domain/flags.js';
import { type JsonPath, parseEach, readPath } from '../../domain/json-path.js';
import { parseTimeZone, type TimeZone } from '../../domain/time-zone.js';
import type { Captures, Parsed, Refusal, Sample } from './feed.js';
import { createFlagReader } from './flag-reader.js';
import { createMeterName, fitted, type Look } from './meter-name.js';
import { createReadTime } from './meter-time.js';
import { compiled, createReadValues, deltasOf, type Found } from './value-reader.js';

/** More than any device has; every one of them is a meter, and may be one row set aside with the whole payload. */
const MAX_CHANNELS = 32;
const MAX_GROUPS = 64;

type Decoded = readonly Parsed[] | Refusal | 'ignored';
export type DecodeMapping = (captures: Captures, json: unknown, nearMs: number | undefined) => Decoded;

/** What one mapping makes of a payload; compiled once, and total: it has an answer for any JSON. */
export function createMappingDecoder(mapping: Mapping, zone: TimeZone): DecodeMapping {
  const readValues = createReadValues(mapping.values);
  const readTime = mapping.time === undefined ? () => undefined : timeReader(mapping.time, zone);
  const readFlags = createFlagReader(mapping.flags ?? []);
  const applies = conditions(mapping.only_if ?? []);
  const name = createMeterName(mapping.meter);
  const firstChannel = mapping.first_channel ?? 0;
  const groups = mapping.each === undefined ? undefined : parseEach(mapping.each);
  const { register_max_wh: registerMaxWh } = mapping;

  /** One object that holds values: the payload, or a member of it. */
  function decodeNode(node: unknown, { captures, json, nearMs, group }: Place): Decoded {
    const look: Look = (path) => {
      const near = readPath(node, path);
      return near === undefined && node !== json ? readPath(json, path) : near;
    };
    if (!applies(look)) return 'ignored';
    const found = readValues(node, undefined);
    if (!found.present) return 'ignored';
    const meter = name.of(captures, group, look);
    if (typeof meter !== 'string') return meter;
    const ownTimeMs = readTime(look, nearMs);
    if (typeof ownTimeMs === 'object') return ownTimeMs;
    const sampleOf = sampler({ ownTimeMs, flags: readFlags(look), registerMaxWh });
    if (found.channels === 0) return one(found, node, () => sampleOf(meter, found));
    return several(meter, node, found, sampleOf);
  }

  function several(meter: string, node: unknown, whole: Found, sampleOf: SampleOf): Decoded {
    if (whole.channels > MAX_CHANNELS) return badShape(`more than ${MAX_CHANNELS} channels`);
    if (whole.wrong !== undefined) return notNumber(whole.wrong);
    const items: Parsed[] = whole.own ? [{ raw: node, sample: sampleOf(meter, whole) }] : [];
    for (let channel = 0; channel < whole.channels; channel += 1) {
      const found = readValues(node, channel);
      if (found.wrong !== undefined) return notNumber(`${found.wrong}, channel ${channel + firstChannel},`);
      if (found.own) items.push({ raw: node, sample: sampleOf(`${meter}:${channel + firstChannel}`, found) });
    }
    return items.length === 0 ? NOTHING : items;
  }

  if (groups === undefined) {
    return (captures, json, nearMs) => decodeNode(json, { captures, json, nearMs, group: '' });
  }
  return (captures, json, nearMs) => {
    const holder = groups.length === 0 ? json : readPath(json, groups);
    if (typeof holder !== 'object' || holder === null) return 'ignored';
    const items: Parsed[] = [];
    for (const [group, raw] of Object.entries(holder)) {
      if (typeof raw !== 'object' || raw === null) continue;
      const decoded = decodeNode(raw, { captures, json, nearMs, group });
      if (decoded === 'ignored') continue;
      if ('reason' in decoded) items.push({ raw, refusal: decoded });
      else items.push(...decoded);
      if (items.length > MAX_GROUPS) return badShape(`more than ${MAX_GROUPS} meters in one payload`);
    }
    return items.length === 0 ? 'ignored' : items;
  };
}

interface Place {
  readonly captures: Captures;
  readonly json: unknown;
  readonly nearMs: number | undefined;
  readonly group: string;
}

interface Common {
  readonly ownTimeMs: EpochMs | undefined;
  readonly flags: readonly MeterFlag[];
  readonly registerMaxWh: number | undefined;
}

type SampleOf = (meter: string, found: Found) => Sample;

/** What every channel of a payload has in common. */
const sampler =
  ({ ownTimeMs, flags, registerMaxWh }: Common): SampleOf =>
  (meter, found) => ({
    meter: fitted(meter),
    values: found.values,
    flags,
    ...(ownTimeMs === undefined ? {} : { ownTimeMs }),
    ...(registerMaxWh === undefined ? {} : { registerMaxWh }),
    ...deltasOf(found),
  });

function one(found: Found, raw: unknown, sample: () => Sample): Decoded {
  if (found.wrong !== undefined) return notNumber(found.wrong);
  return found.any ? [{ raw, sample: sample() }] : NOTHING;
}

function timeReader(mapping: TimeMapping, fallback: TimeZone) {
  const paths = (typeof mapping.path === 'string' ? [mapping.path] : mapping.path).map(compiled);
  const zone = mapping.zone === undefined ? fallback : parseTimeZone(mapping.zone);
  invariant(zone !== undefined, `the zone ${mapping.zone} was checked before`);
  const read = createReadTime(mapping, zone);
  return (look: Look, nearMs: number | undefined): EpochMs | Refusal | undefined => {
    const raw = firstOf(look, paths);
    const atMs = read(raw, nearMs);
    if (atMs === 'wrong') return { reason: 'bad_time', detail: `${shown(raw)} is no time of the form expected` };
    return atMs === undefined ? undefined : epochMs(atMs);
  };
}

function firstOf(look: Look, paths: readonly JsonPath[]): unknown {
  for (const path of paths) {
    const raw = look(path);
    if (raw !== undefined) return raw;
  }
  return undefined;
}

function conditions(list: readonly Condition[]): (look: Look) => boolean {
  const checks = list.map(({ path, is }) => ({ steps: compiled(path), is: new Set(is) }));
  return (look) =>
    checks.every(({ steps, is }) => {
      const raw = look(steps);
      return raw !== undefined && typeof raw !== 'object' && is.has(String(raw));
    });
}

const NOTHING: Refusal = { reason: 'nothing_usable', detail: 'every value in it is missing' };
const badShape = (detail: string): Refusal => ({ reason: 'bad_shape', detail });
const notNumber = (what: string): Refusal => badShape(`${what} is not a number`);

const MAX_SHOWN = 60;
/** A payload may hold anything, and a detail is read on one line. */
const shown = (raw: unknown): string =>
  typeof raw === 'object' ? 'an object or a list' : JSON.stringify(String(raw).slice(0, MAX_SHOWN));
