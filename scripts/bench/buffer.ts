import { benchBuffer } from '../../agent/buffer/bench/buffer-bench.js';
import type { Bench } from './bench.js';
import { refuseUncountedDisk } from './counted-disk.js';

const SIZES = {
  tiny: { meters: 3, fullRows: 20_000 },
  quick: { meters: 100, fullRows: 1_000_000 },
  full: { meters: 1_000, fullRows: 50_000_000 },
};

export const buffer: Bench = {
  about: 'a day of readings every ten seconds: appended, closed, packed and read again; and with a log that is full',
  goals: {
    packed_bytes_per_meter_day: { atMost: 2_500 },
    year_of_one_meter_cpu_ms: { atMost: 30 },
    appends_full_vs_empty: { atMost: 1.1 },
    cursor_full_vs_empty: { atMost: 1.2 },
  },
  async measure({ size, dir, say }) {
    refuseUncountedDisk(dir);
    return await benchBuffer({ ...SIZES[size], dir, say });
  },
};
