import { between, poisson, streamOf } from './random-stream.js';

/** Minutes of one UTC day. */
export interface Span {
  readonly fromMinute: number;
  readonly toMinute: number;
}

interface OutageOptions {
  readonly seed: number;
  readonly outagesPerMonth?: number;
  readonly sheddingHours?: number;
}

const OUTAGE_STREAM = 22;

/** Faults of the network come by chance and last from minutes to hours; shedding goes round the feeders by plan. */
export function outagesOn(options: OutageOptions, feeder: number, day: number): readonly Span[] {
  const { seed, outagesPerMonth = 0, sheddingHours = 0 } = options;
  const spans: Span[] = [];
  if (outagesPerMonth > 0) {
    const random = streamOf(seed, OUTAGE_STREAM, feeder, day);
    for (let count = poisson(random, outagesPerMonth / 30); count > 0; count--) {
      const fromMinute = Math.floor(random() * 1_380);
      spans.push({ fromMinute, toMinute: Math.min(fromMinute + Math.ceil(between(random, 1, 13) ** 2), 1_440) });
    }
  }
  if (sheddingHours > 0 && (day + feeder) % 2 === 0) {
    const minutes = sheddingHours * 60;
    // As long as it was announced: it does not go on beyond midnight.
    const fromMinute = Math.min(6 * 60 + ((feeder * 120 + (day >> 1) * 240) % 900), 1_440 - minutes);
    spans.push({ fromMinute, toMinute: fromMinute + minutes });
  }
  return spans;
}
