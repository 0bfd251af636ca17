import type { MeterSeries } from '../../series.js';

/** A meter whose past has more holes than this teaches and shows little. */
const MOST_MISSING_HOURS = 100;
const MOST_ZEROS = 0.2;
const LEAST_OF_TEST = 0.5;

/** Which meters take part, judged by the part before the test; of the test only how much of it there is. */
export function chooseMeters(
  series: readonly MeterSeries[],
  { testFrom, slotMinutes }: { testFrom: number; slotMinutes: number },
): MeterSeries[] {
  return series.filter(({ powerW }) => {
    const before = powerW.subarray(0, testFrom);
    const test = powerW.subarray(testFrom);
    const missing = before.length - known(before);
    const zeros = before.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
    return (
      missing * slotMinutes < MOST_MISSING_HOURS * 60 &&
      zeros < MOST_ZEROS * before.length &&
      known(test) >= LEAST_OF_TEST * test.length
    );
  });
}

const known = (values: Float32Array): number =>
  values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
