import { readFileSync } from 'node:fs';
import { systemClock } from '../domain/clock.js';
import { SHIPPED_FEEDS } from '../domain/feed-mapping.js';
import { feedTrialScreen } from '../ops/feed-trial.js';
import { feedOptions } from '../settings.js';
import { createFeeds } from '../validate/feeds/registry.js';
import { tryFeeds } from '../validate/feeds/trial.js';
import { type Given, print, settingsOf } from './given.js';

/** What would become of a message, for whoever stands in front of an unknown meter. */
export function feedsTry(given: Given & { readonly topic: string; readonly payload: string }): void {
  const options = feedOptions(settingsOf(given));
  const feeds = {
    enabled: createFeeds(options),
    shipped: createFeeds({ ...options, enabled: SHIPPED_FEEDS, custom: [] }),
  };
  const payload = given.payload === '-' ? readFileSync(process.stdin.fd, 'utf8') : given.payload;
  const trial = tryFeeds(feeds, { topic: given.topic, payload, nearMs: systemClock.now() });
  print(given, trial, () => feedTrialScreen(trial));
  if (trial.outcome !== 'decoded') process.exitCode = 1;
}
