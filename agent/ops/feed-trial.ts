import type { Values } from '../domain/reading.js';
import { printable } from './listing.js';
import { timeText } from './table.js';

/** As far as the screen shows it. */
interface Sample {
  readonly meter: string;
  readonly ownTimeMs?: number;
  readonly values: Values;
  readonly importDeltaWh?: number;
  readonly exportDeltaWh?: number;
  readonly registerMaxWh?: number;
  readonly flags: readonly string[];
}

interface Refusal {
  readonly reason: string;
  readonly detail: string;
}

type Trial =
  | { readonly outcome: 'decoded'; readonly feed: string; readonly items: readonly (Sample | Refusal)[] }
  | { readonly outcome: 'ignored'; readonly feed: string }
  | { readonly outcome: 'refused'; readonly feed: string; readonly refusal: Refusal }
  | { readonly outcome: 'unknown_topic'; readonly asked: readonly string[]; readonly shipped: readonly string[] };

/** For somebody in front of a meter that nobody knows. */
export function feedTrialScreen(trial: Trial): string {
  switch (trial.outcome) {
    case 'decoded':
      return [`The feed ${trial.feed} takes it.`, ...trial.items.map(itemBlock)].join('\n\n');
    case 'ignored':
      return `The feed ${trial.feed} knows the topic, and passes this message over: nothing in it is a reading.`;
    case 'refused':
      return `The feed ${trial.feed} knows the topic, and refuses this message.\n\n${refusalLine(trial.refusal)}`;
    case 'unknown_topic': {
      const asked = `No feed knows this topic (asked: ${trial.asked.join(', ') || 'none is enabled'}).`;
      if (trial.shipped.length === 0) return `${asked}\ndocs/feeds.md shows how to write a mapping for it.`;
      return `${asked}\nNot enabled, but would know it: ${trial.shipped.join(', ')}; see feeds.enabled.`;
    }
  }
}

function itemBlock(item: Sample | Refusal): string {
  if ('reason' in item) return refusalLine(item);
  const { meter, ownTimeMs, values, importDeltaWh, exportDeltaWh, registerMaxWh, flags } = item;
  const rows: readonly (readonly [string, number | string | undefined])[] = [
    ['meter', meter],
    ['time', ownTimeMs === undefined ? 'none of its own: that of arrival' : dateText(ownTimeMs)],
    ...Object.entries(values),
    ['importDeltaWh', importDeltaWh],
    ['exportDeltaWh', exportDeltaWh],
    ['registerMaxWh', registerMaxWh],
    ['flags', flags.length === 0 ? undefined : flags.join(', ')],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : `${name.padEnd(14)} ${value}`)).join('\n');
}

const MAX_DATE_MS = 8.64e15;
const dateText = (atMs: number): string =>
  Math.abs(atMs) <= MAX_DATE_MS ? `${timeText(atMs)} UTC` : `${atMs} ms, which is no date`;

const refusalLine = ({ reason, detail }: Refusal): string => `refused: ${reason}: ${printable(detail)}`;
