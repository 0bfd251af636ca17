import { expect, test } from 'vitest';
import { feedTrialScreen } from './feed-trial.js';

test('a reading, with what it has', () => {
  const sample = {
    meter: 'm1',
    ownTimeMs: 1_736_937_000_123,
    values: { powerW: 0, voltageV: 230.1 },
    importDeltaWh: 9,
    flags: ['tamper'],
  };
  expect(feedTrialScreen({ outcome: 'decoded', feed: 'mine', items: [sample] })).toBe(
    [
      'The feed mine takes it.',
      '',
      'meter          m1',
      'time           2025-01-15 10:30:00.123 UTC',
      'powerW         0',
      'voltageV       230.1',
      'importDeltaWh  9',
      'flags          tamper',
    ].join('\n'),
  );
});

test('a time that is no date, and a text that would move the cursor', () => {
  const items = [
    { meter: 'm1', ownTimeMs: 9e15, values: { powerW: 0 }, flags: [] },
    { reason: 'bad_time', detail: '\u001b[2J is no time' },
  ];
  const screen = feedTrialScreen({ outcome: 'decoded', feed: 'mine', items });
  expect(screen).toContain('9000000000000000 ms, which is no date');
  expect(screen).toContain('refused: bad_time: ·[2J is no time');
});

test('nobody knows it, or somebody would', () => {
  expect(feedTrialScreen({ outcome: 'unknown_topic', asked: ['native'], shipped: [] })).toContain('docs/feeds.md');
  expect(feedTrialScreen({ outcome: 'unknown_topic', asked: [], shipped: ['tasmota'] })).toContain(
    'would know it: tasmota',
  );
});
