import type { FleetPower } from '../fleet-power.js';

/** So many names fit a line that somebody reads. */
const MOST_NAMES = 5;

/** A line for who wonders why a balance stays silent; undefined where all meters of all feeders report. */
export function unreportedLine({ feeders }: FleetPower): string | undefined {
  const silent = feeders.flatMap(({ feeder, unreported = [] }) => (unreported.length === 0 ? [] : [feeder]));
  if (silent.length === 0) return undefined;
  const meters = feeders.flatMap(({ unreported = [] }) => unreported);
  const those = meters.length === 1 ? 'meter of the topology has' : 'meters of the topology have';
  const balance = silent.length === 1 ? 'feeder' : 'feeders';
  return `${meters.length} ${those} no column in the reported file (${someOf(meters)}): the balance of ${balance} ${someOf(silent)} says nothing`;
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}
