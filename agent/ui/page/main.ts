import type { Load, MeterList, Overview } from '../../api/wire.js';
import { createChart } from './chart.js';
import { createDayBars } from './days.js';
import { byId, setAttribute, setText } from './elements.js';
import { formatExactTime, formatPower } from './format.js';
import { gateway, Refusal } from './gateway.js';
import { createAnomalyList, showReadings } from './lists.js';
import { createMeterTable } from './meters.js';
import { showHealth, showLost, showTiles } from './summary.js';

const POLL_MS = 2_000;
const POLL_FAILED_MS = 5_000;
/** Shapes move by one slot in five minutes; the "now" line and a late forecast should not lag behind for long. */
const LOAD_EVERY_MS = 10_000;
/** The last of a year of days grows slowly. */
const DAYS_EVERY_MS = 300_000;
const DAYS = 365;
const SPARKLINES_EVERY_MS = 60_000;
const RATE_OVER_MS = 20_000;
/** Enough for a screen; more belongs to the filter. */
const METER_ROWS = 100;
const READING_ROWS = 20;
const ANOMALY_ROWS = 20;
const SPARKLINES_AT_ONCE = 25;

interface State {
  selected: string | undefined;
  filter: string;
  list: MeterList | undefined;
  head: Overview['head'] | undefined;
  loadedAtMs: number;
  daysAtMs: number;
  sparkedAtMs: number;
  sparked: Set<string>;
  answeredAtMs: number | undefined;
  history: Overview[];
}

const state: State = {
  selected: /^#meter=(.+)$/.exec(decodeURIComponent(location.hash))?.[1],
  filter: '',
  list: undefined,
  head: undefined,
  loadedAtMs: Number.NEGATIVE_INFINITY,
  daysAtMs: Number.NEGATIVE_INFINITY,
  sparkedAtMs: Number.NEGATIVE_INFINITY,
  sparked: new Set(),
  answeredAtMs: undefined,
  history: [],
};

const fresh = byId('fresh');
const filter = byId('filter') as HTMLInputElement;
const chart = createChart(byId('chart'));
const dayBars = createDayBars(byId('days'));
const table = createMeterTable(select);
const showAnomalies = createAnomalyList(select);

function select(id: string): void {
  state.selected = id;
  state.loadedAtMs = Number.NEGATIVE_INFINITY;
  state.daysAtMs = Number.NEGATIVE_INFINITY;
  history.replaceState(null, '', `#meter=${encodeURIComponent(id)}`);
  table.mark(id);
  // On a narrow screen the chart is above the table, out of sight.
  const top = byId('load').getBoundingClientRect().top;
  if (top < 0 || top > innerHeight * 0.8) byId('load').scrollIntoView({ block: 'start' });
  wake();
}

async function turn(): Promise<void> {
  const overview = await gateway.overview();
  state.answeredAtMs = Date.now();
  showOverview(overview);

  const before = state.head;
  state.head = overview.head;
  if (before?.seq !== overview.head.seq || state.list === undefined)
    showReadings((await gateway.readings(READING_ROWS)).readings);
  if (before?.changeSeq !== overview.head.changeSeq) showAnomalies((await gateway.anomalies(ANOMALY_ROWS)).anomalies);
  await readMeters(overview.nowMs);
  await readLoad(overview.nowMs);
  await readDays();
  await readSparklines();
}

function showOverview(overview: Overview): void {
  state.history = [...state.history.filter((earlier) => overview.nowMs - earlier.nowMs < RATE_OVER_MS), overview];
  setText(byId('gateway'), overview.gateway);
  showHealth(overview);
  showTiles(overview, state.history.length > 1 ? state.history[0] : undefined);
  setText(fresh, 'Live');
  setAttribute(fresh, 'data-state', 'live');
  document.title = `${overview.health.status === 'ok' ? '' : '⚠ '}${overview.gateway} · wattwarden`;
}

async function readMeters(nowMs: number): Promise<void> {
  const asked = state.filter;
  const list = await gateway.meters(asked, METER_ROWS);
  if (asked !== state.filter) return;
  state.list = list;
  if (state.selected === undefined) {
    state.selected = (list.meters.find((row) => row.kind === 'customer') ?? list.meters[0])?.id;
    table.mark(state.selected);
  }
  table.show(list, nowMs);
}

async function readLoad(nowMs: number): Promise<void> {
  const { selected } = state;
  if (selected === undefined) return chart.clear('The load of a meter appears here with its first readings.');
  if (performance.now() - state.loadedAtMs < LOAD_EVERY_MS) return;
  const startedMs = performance.now();
  try {
    const load = await gateway.load(selected);
    if (selected !== state.selected) return;
    state.loadedAtMs = startedMs;
    showLoad(load);
    chart.show(load, nowMs);
  } catch (error) {
    if (selected !== state.selected) return;
    setText(byId('load-title'), selected);
    setText(byId('load-facts'), '');
    chart.clear(error instanceof Error ? error.message : String(error));
  }
}

async function readDays(): Promise<void> {
  const { selected } = state;
  if (selected === undefined || performance.now() - state.daysAtMs < DAYS_EVERY_MS) return;
  const startedMs = performance.now();
  try {
    const days = await gateway.days(selected, DAYS);
    if (selected !== state.selected) return;
    state.daysAtMs = startedMs;
    dayBars.show(days);
  } catch (error) {
    // The chart above says why.
    if (!(error instanceof Refusal)) throw error;
    dayBars.clear();
  }
}

function showLoad({ meter, forecast }: Load): void {
  setText(byId('load-title'), meter.id);
  const facts = [
    meter.kind === 'feeder' ? 'feeder meter' : meter.feeder === null ? '' : `on ${meter.feeder}`,
    meter.ratedPowerW === null ? '' : `rated ${formatPower(meter.ratedPowerW)}`,
    forecast === null ? 'no forecast yet' : `forecast by ${forecast.modelVersion}`,
  ];
  setText(byId('load-facts'), facts.filter((fact) => fact !== '').join(' · '));
}

async function readSparklines(): Promise<void> {
  const shown = state.list?.meters.map((row) => row.id) ?? [];
  const stale = performance.now() - state.sparkedAtMs > SPARKLINES_EVERY_MS;
  const wanted = stale ? shown : shown.filter((id) => !state.sparked.has(id));
  if (stale) state.sparkedAtMs = performance.now();
  for (let i = 0; i < wanted.length; i += SPARKLINES_AT_ONCE) {
    table.showSparklines(await gateway.sparklines(wanted.slice(i, i + SPARKLINES_AT_ONCE)));
  }
  state.sparked = new Set(shown);
}

function showFailure(error: unknown): void {
  const since = state.answeredAtMs === undefined ? 'yet' : `since ${formatExactTime(state.answeredAtMs)}`;
  setText(fresh, `No answer ${since}`);
  setAttribute(fresh, 'data-state', 'lost');
  document.title = '⚠ wattwarden';
  if (error instanceof Refusal) showLost('The gateway cannot answer.', error.message);
  else showLost('The gateway does not answer.', 'What stands below is what it last said. It is asked again and again.');
}

let woken = false;
let endPause: () => void = () => undefined;

function wake(): void {
  woken = true;
  endPause();
}

async function pause(ms: number): Promise<void> {
  if (woken) return;
  await new Promise<void>((resolve) => {
    endPause = resolve;
    // A hidden page asks nothing; it wakes when it is looked at again.
    if (!document.hidden) setTimeout(resolve, ms);
  });
}

async function live(): Promise<never> {
  for (;;) {
    woken = false;
    let pauseMs = POLL_MS;
    try {
      await turn();
    } catch (error) {
      pauseMs = POLL_FAILED_MS;
      showFailure(error);
    }
    await pause(pauseMs);
  }
}

filter.addEventListener('input', () => {
  state.filter = filter.value;
  wake();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) wake();
});
setText(byId('zone'), `Times are local: ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`);
void live();
