/** The time that each meter puts into its readings: the present, and a millisecond further with each reading of one meter. */
export function createMeterClocks(now: () => number): (meter: number) => number {
  const last = new Map<number, number>();
  return (meter) => {
    const tick = Math.max(now(), (last.get(meter) ?? 0) + 1);
    last.set(meter, tick);
    return tick;
  };
}
