/**
 * The time that each meter puts into its readings: the present, a millisecond further with each reading of one meter. A
 * few meters that send faster than that begin in the past, so that none of them runs ahead.
 */
export function createMeterClocks(now: () => number): (meter: number, meters: number) => number {
  const last = new Map<number, number>();
  return (meter, meters) => {
    const startMs = meters < FEW ? now() - LEAD_MS : now();
    const tick = meters < FEW ? (last.get(meter) ?? startMs) + 1 : Math.max(now(), (last.get(meter) ?? 0) + 1);
    last.set(meter, tick);
    return tick;
  };
}

const FEW = 100;
const LEAD_MS = 3_600_000;
