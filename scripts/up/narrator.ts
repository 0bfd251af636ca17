import type { Overview } from '../../agent/api/wire.js';
import type { Clock } from '../../agent/domain/clock.js';
import { messageOf } from '../../agent/domain/errors.js';
import type { Part } from '../../agent/domain/lifecycle.js';
import { runCommand } from './process.js';

interface NarratorOptions {
  readonly clock: Clock;
  readonly configFile: string;
  readonly centreFile: string;
  readonly bundlesDir: string;
}

export interface Narrator extends Part {
  /** Where the page is; resolves to the moment from which readings are missing. */
  connect(http: string, historyMs: number): Promise<Date>;
}

const LOOK_EVERY_MS = 1_000;
const SAY_EVERY_MS = 15_000;

/** Says in a few lines what happens, and has the centre train a first model once it holds the history. */
export function createNarrator({ clock, centreFile, configFile, bundlesDir }: NarratorOptions): Narrator {
  const ending = new AbortController();
  let page = '';
  let running: Promise<void> = Promise.resolve();

  const get = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(new URL(path, page), { signal: AbortSignal.timeout(5_000) })).json()) as Answer;

  async function narrate(): Promise<void> {
    let said = '';
    let saidAtMs = 0;
    let asked = false;
    while (!ending.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, ending.signal);
      if (ending.signal.aborted) return;
      try {
        const overview = await get<Overview>('/api/v1/overview');
        const line = sentence(overview);
        const news = overview.bundle?.version ?? '';
        if (news !== said || clock.monotonicMs() - saidAtMs >= SAY_EVERY_MS) {
          console.log(`${new Date().toLocaleTimeString('en-GB')}  ${line}`);
          said = news;
          saidAtMs = clock.monotonicMs();
        }
        if (asked || !isReplicated(overview)) continue;
        asked = true;
        console.log('The centre has the history: it trains a model on it and releases it…');
        await runCommand(['cloud', 'retrain', '--release', '--out', bundlesDir, '--config', centreFile]);
      } catch (error) {
        if (!ending.signal.aborted) console.error(`(${messageOf(error)})`);
      }
    }
  }

  return {
    name: 'narrator',
    async connect(http, historyMs) {
      page = http;
      const { readings } = await get<{ readings: readonly { takenAtMs: number }[] }>('/api/v1/readings?limit=1');
      const from = clock.now() - historyMs;
      return new Date(Math.max(from, readings[0]?.takenAtMs ?? from));
    },
    async start() {
      console.log(
        `\n  The page:  ${page}\n  Status:    npx wattwarden status --config ${configFile}\n  Ctrl-C stops everything.\n`,
      );
      running = narrate();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}

const count = (value: number): string => value.toLocaleString('en');
const waiting = ({ backlog }: Overview): number => Object.values(backlog).reduce((sum, rows) => sum + rows, 0);

/** The history is at the centre, slots and all, and the model that serves is still the one that came with the program. */
const isReplicated = (overview: Overview): boolean =>
  overview.readings > 0 &&
  overview.backlog.reading === 0 &&
  overview.backlog.slot === 0 &&
  overview.backlog.forecast === 0 &&
  overview.bundle?.version.startsWith('default') === true;

function sentence(overview: Overview): string {
  const { meters, readings, rejected, bundle } = overview;
  const silent = meters.silent === 0 ? '' : `, ${meters.silent} silent`;
  return [
    `${meters.known} meters${silent}`,
    `${count(readings)} readings stored, ${count(rejected)} kept aside`,
    `${count(waiting(overview))} rows on their way to the centre`,
    bundle === null ? 'no model yet' : `model ${bundle.version}`,
  ].join(' · ');
}
