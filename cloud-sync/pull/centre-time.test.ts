import { expect, test } from 'vitest';
import { askTime } from './centre-time.js';

const SERVER_MS = Date.UTC(2027, 0, 1);

/** A centre at the end of a link: its answer is on its way for so long, there and back. */
function ask(thereMs: number, backMs: number, row: object = { server_time_ms: SERVER_MS }) {
  let countMs = 1_000;
  let calls = 0;
  const centre = {
    call: async (name: string) => {
      expect(name).toBe('hello');
      calls += 1;
      if (calls === 1)
        countMs += 60_000; // it had to connect
      else countMs += thereMs + backMs;
      return [row];
    },
  };
  return askTime(centre, { monotonicMs: () => countMs }, new AbortController().signal).then((told) => ({
    told,
    sentMs: 61_000,
  }));
}

test('the truth lies within the error, whichever way the answer took long', async () => {
  for (const [there, back] of [
    [20, 20],
    [4_000, 10],
    [10, 4_000],
  ] as const) {
    const { told, sentMs } = await ask(there, back);
    const truth = SERVER_MS - (sentMs + there);
    expect(Math.abs((told?.baseMs ?? 0) - truth)).toBeLessThanOrEqual(told?.errorMs ?? 0);
    expect(told?.errorMs).toBe((there + back) / 2);
  }
});

test('an answer that took too long tells nothing', async () => {
  expect((await ask(6_000, 6_000)).told).toBeUndefined();
});

test('a centre that does not tell its time is not one of ours', async () => {
  await expect(ask(1, 1, {})).rejects.toMatchObject({ code: 'centre.incompatible' });
});
