import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = '/usr/lib';

/** libfaketime, as Debian's package `faketime` installs it; undefined where it is not. */
export function fakeTimeLibrary(): string | undefined {
  for (const place of readdirSync(LIBRARIES)) {
    const folder = join(LIBRARIES, place, 'faketime');
    try {
      if (readdirSync(folder).includes('libfaketimeMT.so.1')) return join(folder, 'libfaketimeMT.so.1');
    } catch {
      // Most have none.
    }
  }
  return undefined;
}

export interface FakeTime {
  /** What runs a program so that it sees a wrong clock; its monotonic clocks are right, as on a real machine. */
  readonly under: readonly string[];
  /** From now on the clock is off by that: `-21d`, `+1d`, `-56y`, `+0`. */
  set(offset: string): void;
}

export function openFakeTime(library: string, dir: string, offset: string): FakeTime {
  const file = join(dir, 'offset');
  const set = (to: string): void => writeFileSync(file, `${to}\n`);
  set(offset);
  const settings = ['FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'NO_FAKE_STAT=1'];
  return { set, under: ['env', `LD_PRELOAD=${library}`, `FAKETIME_TIMESTAMP_FILE=${file}`, ...settings] };
}

/** As a time service does each time that it has set the clock. */
export function touch(file: string): void {
  writeFileSync(file, '');
  const now = new Date();
  utimesSync(file, now, now);
}
