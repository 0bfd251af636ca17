import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hasProgram } from './kit/program.js';

const PROGRAM = fileURLToPath(new URL('../dist/scripts/bench.js', import.meta.url));
const WITHIN_MS = 300_000;

/** In a size in which the figures mean nothing: what counts is that all of them are there. */
const bench = async (...given: readonly string[]) => await promisify(execFile)(process.execPath, [PROGRAM, ...given]);

async function namesOf(name: string): Promise<readonly string[]> {
  const { stdout } = await bench(name, '--tiny', '--json');
  const { bench: said, metrics, ratios } = JSON.parse(stdout);
  expect(said).toBe(name);
  const figures: Record<string, unknown> = { ...metrics, ...ratios };
  for (const [figure, value] of Object.entries(figures)) expect(value, figure).toBeGreaterThan(0);
  return Object.keys(figures);
}

test(
  'ingest',
  async () => {
    const always = [
      'embedded_rps_1',
      'embedded_rps_50',
      'bare_aedes_rps',
      'bare_sqlite_rps',
      'cpu_us_per_reading',
      'disk_bytes_per_reading',
      'disk_bytes_per_reading_100rps',
      'ack_p99_ms_100rps',
      'ack_p99_ms_5000rps',
      'embedded_vs_bare_aedes',
    ];
    const withMosquitto = hasProgram('mosquitto') ? ['client_rps', 'client_default_limits_rps'] : [];
    expect(await namesOf('ingest')).toEqual(expect.arrayContaining([...always, ...withMosquitto]));
  },
  WITHIN_MS,
);

test(
  'buffer',
  async () => {
    const names = [
      'append_rows_per_s',
      'disk_bytes_per_reading',
      'packed_bytes_per_meter_day',
      'appends_full_vs_empty',
    ];
    expect(await namesOf('buffer')).toEqual(expect.arrayContaining([...names, 'cursor_full_vs_empty']));
  },
  WITHIN_MS,
);

test(
  'footprint',
  async () => {
    const names = ['rss_mb', 'rss_mb_20000_meters', 'cpu_percent', 'start_to_ack_ms', 'bare_aedes_rss_mb'];
    expect(await namesOf('footprint')).toEqual(expect.arrayContaining(names));
  },
  WITHIN_MS,
);

test(
  'forecast',
  async () => {
    expect(await namesOf('forecast')).toEqual(expect.arrayContaining(['ms_1000_meters', 'ours_vs_bare_ort_1000']));
  },
  WITHIN_MS,
);

const TMPFS = 0x01021994;
const SHARED_MEMORY = '/dev/shm';

test.skipIf(!isTmpfs(SHARED_MEMORY))('bytes are not measured where nobody counts them', async () => {
  await expect(bench('ingest', '--tiny', '--dir', SHARED_MEMORY)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('does not report what is written to it'),
  });
});

function isTmpfs(dir: string): boolean {
  try {
    return statfsSync(dir).type === TMPFS;
  } catch {
    return false; // no such directory on this system
  }
}
