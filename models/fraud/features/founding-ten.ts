/** What the founding documents scored by: for the record and for conditioning, never an axis of a forest. */
export interface FoundingTen {
  readonly mean1hW: number;
  readonly mean24hW: number;
  readonly deviation24hW: number;
  /** The newest slot over the mean of 24 hours; NaN where that is nothing. */
  readonly ratioToMean: number;
  readonly hour: number;
  /** 0 is Monday. */
  readonly weekday: number;
  readonly weekend: boolean;
  /** NaN where no weather is known. */
  readonly temperatureC: number;
  readonly humidityPercent: number;
  readonly windMs: number;
}

export interface Weather {
  readonly temperatureC?: number;
  readonly humidityPercent?: number;
  readonly windMs?: number;
}

/** `powerW` is the 24 hours that end with the slot, which begins at `hour` of `weekday`, local time. */
export function foundingTen(
  powerW: Float32Array,
  { hour, weekday }: { readonly hour: number; readonly weekday: number },
  weather: Weather = {},
): FoundingTen {
  const perHour = Math.max(Math.round(powerW.length / 24), 1);
  const mean24hW = meanOf(powerW);
  const squares = powerW.map((watts) => (watts - mean24hW) ** 2);
  return {
    mean1hW: meanOf(powerW.subarray(powerW.length - perHour)),
    mean24hW,
    deviation24hW: Math.sqrt(meanOf(squares)),
    ratioToMean: mean24hW === 0 ? Number.NaN : (powerW.at(-1) ?? Number.NaN) / mean24hW,
    hour,
    weekday,
    weekend: weekday >= 5,
    temperatureC: weather.temperatureC ?? Number.NaN,
    humidityPercent: weather.humidityPercent ?? Number.NaN,
    windMs: weather.windMs ?? Number.NaN,
  };
}

/** As it is kept: what is not known left out, and no digits that nobody measured. */
export function recorded(ten: FoundingTen): Readonly<Record<string, number | boolean>> {
  const known = Object.entries(ten).filter(([, value]) => !Number.isNaN(value));
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === 'number' ? Number(value.toFixed(3)) : value]),
  );
}

/** Of what is known. */
function meanOf(values: Float32Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
