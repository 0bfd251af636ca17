import { PROFILE_DAYS, seasonalProfile } from '../../models/window/seasonal-profile.js';
import type { SlotWindows } from '../../models/window/slot-windows.js';
import type { MeterId } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import { DAY_MS } from '../domain/slot.js';

/** What is usual for each meter, made anew once a day from its finished days. */
export interface Profiles {
  /** A few meters; says whether more of them wait. */
  step(): boolean;
}

interface Parts {
  readonly reader: { loadOf(meter: MeterId, fromDay: number, toDay: number): Float32Array };
  readonly windows: SlotWindows;
  readonly clock: Pick<Clock, 'now'>;
}

/** Some milliseconds each: between two steps slots are analysed. */
const STEP_METERS = 5;

export function createProfiles({ reader, windows, clock }: Parts): Profiles {
  const slotsPerDay = DAY_MS / windows.slotMs;
  let today = Number.NEGATIVE_INFINITY;
  let waiting: MeterId[] = [];

  return {
    step() {
      const day = Math.floor(clock.now() / DAY_MS);
      if (day !== today) {
        today = day;
        waiting = [...windows.meters()];
      }
      for (const meter of waiting.splice(0, STEP_METERS)) {
        windows.putProfile(meter, seasonalProfile(reader.loadOf(meter, day - PROFILE_DAYS, day), slotsPerDay));
      }
      return waiting.length > 0;
    },
  };
}
