/** Numbers and times as people read them here: local time, at most three significant figures for power. */

/** The page is in English; the zone is the reader's. */
const LOCALE = 'en-GB';

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clockTime = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exactTime = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: 'short' });
const date = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });

/** A thin space belongs between a number and its unit, and never breaks. */
const UNIT_SPACE = '\u202f';

export const NONE = '–';

export const formatCount = (n: number): string => (n < 10_000_000 ? whole.format(n) : compact.format(n));
export const formatWhole = (n: number): string => whole.format(n);

export function formatPower(watts: number | null): string {
  if (watts === null) return NONE;
  const size = Math.abs(watts);
  if (size < 1_000) return `${size < 10 && size > 0 ? watts.toFixed(1) : watts.toFixed(0)}${UNIT_SPACE}W`;
  if (size < 1_000_000) return `${(watts / 1_000).toFixed(size < 100_000 ? 2 : 0)}${UNIT_SPACE}kW`;
  return `${(watts / 1_000_000).toFixed(2)}${UNIT_SPACE}MW`;
}

export function formatEnergy(wattHours: number | null): string {
  if (wattHours === null) return NONE;
  if (Math.abs(wattHours) < 1_000) return `${wattHours.toFixed(wattHours < 10 ? 1 : 0)}${UNIT_SPACE}Wh`;
  const kilowattHours = wattHours / 1_000;
  return `${kilowattHours < 100 ? kilowattHours.toFixed(1) : whole.format(kilowattHours)}${UNIT_SPACE}kWh`;
}

export const formatVoltage = (volts: number | null): string =>
  volts === null ? NONE : `${volts.toFixed(1)}${UNIT_SPACE}V`;

/** How long ago, in the largest unit that says enough. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds}${UNIT_SPACE}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes}${UNIT_SPACE}min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours}${UNIT_SPACE}h` : `${whole.format(Math.round(hours / 24))}${UNIT_SPACE}d`;
}

export const formatTime = (ms: number): string => clockTime.format(ms);
export const formatExactTime = (ms: number): string => exactTime.format(ms);
export const formatDay = (ms: number): string => `${weekday.format(ms)} ${date.format(ms)}`;
const utcDate = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Of a UTC day. */
export const formatDate = (ms: number): string => utcDate.format(ms);
export const formatMoment = (ms: number): string => `${formatDay(ms)}, ${formatTime(ms)}`;
