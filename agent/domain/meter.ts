import type { MeterId } from './brand.js';

export type MeterKind = 'customer' | 'feeder';

export interface Meter {
  readonly id: MeterId;
  readonly kind: MeterKind;
  readonly feeder?: MeterId;
  readonly ratedPowerW?: number;
  /** Where its import register is full and begins again at zero. */
  readonly registerMaxWh?: number;
}
