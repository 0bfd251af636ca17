import { InvalidArgumentError } from 'commander';
import { SLOT_WIDTHS } from './forecast/horizons.js';
import { isoTime, utcTime } from './iso-time.js';
import { HOLIDAY_COUNTRIES } from './window/holidays.js';
import { zoneOffset } from './window/zone.js';

/** Words of the command line, each parsed once. */
export const whole = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError(`not a whole number up to ${Number.MAX_SAFE_INTEGER}`);
  return value;
};

export const share = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError('not a share from 0 to 1');
  return value;
};

export const price = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError('not a price');
  return value;
};

export const atLeast =
  (least: number) =>
  (text: string): number => {
    const value = whole(text);
    if (value < least) throw new InvalidArgumentError(`at least ${least}`);
    return value;
  };

export const slotWidth = (text: string): number => {
  const minutes = Number(/^(\d+)(?:m|min)?$/.exec(text)?.[1] ?? (text === '1h' ? 60 : Number.NaN));
  if (!(SLOT_WIDTHS as readonly number[]).includes(minutes)) {
    throw new InvalidArgumentError(`one of ${SLOT_WIDTHS.map((width) => `${width}m`).join(', ')}`);
  }
  return minutes;
};

export const list = (text: string): readonly string[] => text.split(',').map((part) => part.trim());

export const instant = (text: string): number => {
  const ms = utcTime(text);
  if (!Number.isFinite(ms)) throw new InvalidArgumentError('not a time such as 2013-11-01 or 2013-11-01T12:00:00Z');
  return ms;
};

export const day = (text: string): number => {
  const ms = isoTime(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || !Number.isFinite(ms))
    throw new InvalidArgumentError('not a day like 2013-07-01');
  return ms;
};

export const country = (text: string): string => {
  if (!HOLIDAY_COUNTRIES.includes(text)) throw new InvalidArgumentError(`one of ${HOLIDAY_COUNTRIES.join(', ')}`);
  return text;
};

export const zone = (text: string): string => {
  try {
    zoneOffset(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`no time zone: ${error instanceof Error ? error.message : text}`);
  }
};
