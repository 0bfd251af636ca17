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
/** The first may come before the first slots have closed. */
const TRAINING_ATTEMPTS = 5;

/** Says in a few lines what happens, and has the centre train a first model once it holds the history. */
export function createNarrator({ clock, centreFile, configFile, bundlesDir }: NarratorOptions): Narrator {
  const ending = new AbortController();
  let page = '';
  let running: Promise<void> = Promise.resolve();

  const get = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(new URL(path, page), { signal: AbortSignal.timeout(5_000) })).json()) as Answer;

  async function narrate(): Promise<void> {
    const say = createSayer(clock);
    let attempts = 0;
    let told = '';
    while (!ending.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, ending.signal);
      if (ending.signal.aborted) return;
      try {
        const overview = await get<Overview>('/api/v1/overview');
        say(overview);
        if (attempts >= TRAINING_ATTEMPTS || !isReplicated(overview)) {
          told = '';
          continue;
        }
        attempts += 1;
        console.log('The centre has the history: it trains a model on it and releases it…');
        const retrain = ['cloud', 'retrain', '--release', '--out', bundlesDir, '--config', centreFile];
        await runCommand(retrain, ending.signal);
        attempts = TRAINING_ATTEMPTS;
      } catch (error) {
        if (ending.signal.aborted) return;
        const failure = messageOf(error);
        if (failure !== told) console.error(`(${failure})`);
        told = failure;
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

/** The history is at the centre, but for what arrives as we look; and the model that serves came with the program. */
const isReplicated = (overview: Overview): boolean =>
  overview.readings > 0 &&
  waiting(overview) <= 2 * overview.meters.known &&
  overview.bundle?.version.startsWith('default') === true;

/** A line when the model changes, and one now and then. */
function createSayer(clock: Clock): (overview: Overview) => void {
  let said = '';
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (overview) => {
    const model = overview.bundle?.version ?? '';
    if (model === said && clock.monotonicMs() - saidAtMs < SAY_EVERY_MS) return;
    console.log(`${new Date().toLocaleTimeString('en-GB')}  ${sentence(overview)}`);
    said = model;
    saidAtMs = clock.monotonicMs();
  };
}

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
