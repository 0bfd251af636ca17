import { setTimeout as delay } from 'node:timers/promises';

interface Wait {
  readonly withinMs?: number;
  readonly everyMs?: number;
}

/** Waits for what `look` finds; anything but undefined and false counts. A failing look counts as nothing found yet. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  { withinMs = 20_000, everyMs = 50 }: Wait = {},
): Promise<Found> {
  const deadline = performance.now() + withinMs;
  for (let last: unknown; ; ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain until ${what} (last: ${String(last)})`);
    await delay(everyMs);
  }
}
