import type { MeterFlag } from './flags.js';
import { parseEach } from './json-path.js';
import { parseNameTemplate } from './name-template.js';
import { parseTopicPattern } from './topic-pattern.js';

/**
 * How another program's JSON becomes readings, as data: in the words of the configuration, so that a shipped mapping
 * can be copied into a file and changed there. docs/feeds.md explains each key.
 */
export interface Mapping {
  readonly name: string;
  readonly topics: readonly string[];
  /** Topics that match and are none of this feed: commands, availability. */
  readonly except?: readonly string[] | undefined;
  /** Template of the meter's name. */
  readonly meter: string;
  /** `*` or `path.*`: every member of it that holds a value is a meter of its own. */
  readonly each?: string | undefined;
  /** Number of the first channel, where a value is a list with one entry per channel. */
  readonly first_channel?: number | undefined;
  readonly only_if?: readonly Condition[] | undefined;
  readonly values: readonly ValueMapping[];
  readonly time?: TimeMapping | undefined;
  readonly register_max_wh?: number | undefined;
  readonly flags?: readonly FlagMapping[] | undefined;
}

/** The first path that is there counts. */
export type Paths = string | readonly string[];

export interface ValueMapping {
  readonly as: Target;
  readonly path: Paths;
  /** Added; without one of them the value is missing. */
  readonly plus?: readonly string[] | undefined;
  /** Subtracted where it is there. */
  readonly minus?: readonly string[] | undefined;
  readonly unit: Unit;
  readonly scale?: number | undefined;
}

export interface TimeMapping {
  readonly path: Paths;
  /** Tried in this order. */
  readonly format: TimeFormat | readonly TimeFormat[];
  /** Of a time without an offset; that of the feeds when not set. */
  readonly zone?: string | undefined;
}

export interface FlagMapping {
  readonly flag: MeterFlag;
  readonly path: string;
  /** Raised when this bit of the number is set. */
  readonly bit?: number | undefined;
  /** Raised when the text, or one text of the list, contains one of these. */
  readonly contains?: readonly string[] | undefined;
}

export interface Condition {
  readonly path: string;
  readonly is: readonly string[];
}

export const TIME_FORMATS = ['iso', 'epoch_s', 'epoch_ms', 'dsmr'] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

/** What a value can become, and which units it may come in, with their factor. */
export const UNITS = {
  power: { W: 1, kW: 1e3, MW: 1e6, mW: 1e-3 },
  energy: { Wh: 1, kWh: 1e3, MWh: 1e6, Wmin: 1 / 60, J: 1 / 3_600, kJ: 1 / 3.6, MJ: 1e3 / 3.6 },
  voltage: { V: 1, mV: 1e-3, kV: 1e3 },
  current: { A: 1, mA: 1e-3 },
  frequency: { Hz: 1, mHz: 1e-3 },
  // Some devices of one and the same source say 0.98, others 98.
  factor: { fraction: 1, percent: 0.01, fraction_or_percent: 1 },
} as const;

type Quantity = keyof typeof UNITS;
export type Unit = { [Q in Quantity]: keyof (typeof UNITS)[Q] }[Quantity];

export const TARGETS = {
  power_w: 'power',
  import_wh: 'energy',
  export_wh: 'energy',
  import_delta_wh: 'energy',
  export_delta_wh: 'energy',
  voltage_v: 'voltage',
  current_a: 'current',
  power_factor: 'factor',
  frequency_hz: 'frequency',
} as const satisfies Record<string, Quantity>;

export type Target = keyof typeof TARGETS;

/** Undefined: no unit of this quantity. */
export const unitFactor = (target: Target, unit: Unit): number | undefined =>
  (UNITS[TARGETS[target]] as Partial<Record<Unit, number>>)[unit];

/** Feeds that come with the program. */
export const SHIPPED_FEEDS = ['native', 'tasmota', 'shelly', 'zigbee2mqtt', 'dsmr-reader', 'wmbusmeters'] as const;
export type ShippedFeed = (typeof SHIPPED_FEEDS)[number];

export interface MappingFault {
  /** Keys and positions from the mapping down. */
  readonly path: readonly (string | number)[];
  /** Reads as the end of "must be …", or begins with "must" or "may". */
  readonly rule: string;
}

/** What is wrong between keys that are right each by itself; a key that is not has been reported already. */
export function mappingFaults(mapping: Mapping): readonly MappingFault[] {
  return [...nameFaults(mapping), ...valueFaults(mapping), ...flagFaults(mapping)];
}

function nameFaults({ meter, topics, each }: Mapping): readonly MappingFault[] {
  const wanted = (parseNameTemplate(meter) ?? []).flatMap((part) => (part.kind === 'capture' ? part.name : []));
  const patterns = topics.map((text) => parseTopicPattern(text)?.captures);
  return wanted.flatMap((name) => {
    if (name === 'group') {
      return each === undefined ? [{ path: ['meter'], rule: 'may name {group} only together with `each`' }] : [];
    }
    const at = patterns.findIndex((captures) => captures?.includes(name) === false);
    return at === -1 ? [] : [{ path: ['topics', at], rule: `must name {${name}}, because \`meter\` asks for it` }];
  });
}

function valueFaults({ values, each, meter }: Mapping): readonly MappingFault[] {
  const faults: MappingFault[] = values.flatMap(({ as, unit }, index) => [
    ...(unitFactor(as, unit) === undefined
      ? [{ path: ['values', index, 'unit'], rule: `one of ${Object.keys(UNITS[TARGETS[as]]).join(', ')} for ${as}` }]
      : []),
    ...(values.findIndex((other) => other.as === as) < index
      ? [{ path: ['values', index, 'as'], rule: 'may stand once in a mapping; `path` takes a list of alternatives' }]
      : []),
  ]);
  if (each !== undefined && parseEach(each) !== undefined && !/\{(group|payload\.)/.test(meter)) {
    faults.push({ path: ['meter'], rule: 'must name {group} or {payload.…}, or all that `each` finds get one name' });
  }
  return faults;
}

const flagFaults = ({ flags = [] }: Mapping): readonly MappingFault[] =>
  flags.flatMap(({ bit, contains }, index) =>
    bit !== undefined && contains !== undefined
      ? [{ path: ['flags', index, 'contains'], rule: 'may not be set together with `bit`' }]
      : [],
  );
