import type { AnomalyRow, ForecastSpan, Load, SlotRow } from '../../api/wire.js';
import { html, setAttribute, setText, svg } from './elements.js';
import { formatDay, formatEnergy, formatMoment, formatPower, formatTime } from './format.js';
import { type Scale, timeScale, valueScale } from './scale.js';
import { drawnSpans, runsOf } from './series.js';

/** What the cursor can stand on: a measured slot or a span of the forecast. */
interface Stop {
  readonly atMs: number;
  readonly watts: number;
  readonly words: string;
}

interface Drawing {
  readonly load: Load;
  readonly spans: readonly ForecastSpan[];
  readonly x: Scale;
  readonly y: Scale;
}

export interface Chart {
  show(load: Load, nowMs: number): void;
  clear(words: string): void;
}

const HEIGHT = 300;
const MARGIN = { top: 18, right: 10, bottom: 38, left: 58 };
const LABEL_GAP = 46;
const AHEAD_MS = 3_600_000;
const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 };

/** The load of one meter up to now and its forecast after it; read out under the pointer or by the arrow keys. */
export function createChart(parent: HTMLElement): Chart {
  const words = html('p', { class: 'readout' });
  const frame = html('div', { class: 'frame', role: 'slider', tabindex: 0, 'aria-valuemin': 0, hidden: '' });
  parent.append(words, frame);

  let shown: { readonly load: Load; readonly nowMs: number } | undefined;
  let stops: readonly Stop[] = [];
  let chosen: number | undefined;
  let drawing: Drawing | undefined;
  let cursor: SVGGElement | undefined;

  function draw(): void {
    if (shown === undefined) return;
    const { load, nowMs } = shown;
    const spans = drawnSpans(load.forecast?.spans ?? []);
    drawing = layOut(load, spans, { nowMs, width: Math.max(280, frame.clientWidth) });
    stops = stopsOf(load, spans);
    if (chosen !== undefined && chosen >= stops.length) chosen = undefined;
    cursor = svg('g', { class: 'cursor' });
    frame.replaceChildren(picture(drawing, { nowMs, width: Math.max(280, frame.clientWidth), cursor }));
    setAttribute(frame, 'aria-label', `Load of ${load.meter.id} over time, in steps`);
    setAttribute(frame, 'aria-valuemax', String(Math.max(0, stops.length - 1)));
    point();
  }

  function point(): void {
    const stop = chosen === undefined ? undefined : stops[chosen];
    const now = lastMeasured(stops, shown?.load);
    setText(words, (stop ?? now)?.words ?? 'Nothing was measured in these 24 hours.');
    words.classList.toggle('resting', stop === undefined);
    setAttribute(frame, 'aria-valuenow', String(chosen ?? Math.max(0, stops.indexOf(now ?? stops[0] ?? NO_STOP))));
    setAttribute(frame, 'aria-valuetext', words.textContent ?? '');
    if (cursor === undefined || drawing === undefined) return;
    cursor.replaceChildren();
    if (stop === undefined) return;
    const x = drawing.x.at(stop.atMs);
    cursor.append(
      svg('line', { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
      svg('circle', { cx: x, cy: drawing.y.at(stop.watts), r: 4 }),
    );
  }

  function choose(index: number | undefined): void {
    chosen = index === undefined ? undefined : Math.max(0, Math.min(stops.length - 1, index));
    point();
  }

  frame.addEventListener('pointermove', (event) => {
    if (drawing === undefined || stops.length === 0) return;
    choose(nearest(stops, drawing.x.valueAt(event.clientX - frame.getBoundingClientRect().left)));
  });
  frame.addEventListener('pointerleave', () => choose(undefined));
  frame.addEventListener('blur', () => choose(undefined));
  frame.addEventListener('keydown', (event) => {
    const step = KEYS[event.key];
    if (step === undefined || stops.length === 0) return;
    event.preventDefault();
    const from = chosen ?? stops.indexOf(lastMeasured(stops, shown?.load) ?? stops[0] ?? NO_STOP);
    choose(from + step);
  });
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(parent);

  return {
    show(load, nowMs) {
      if (shown?.load.meter.id !== load.meter.id) chosen = undefined;
      shown = { load, nowMs };
      frame.hidden = false;
      draw();
    },
    clear(text) {
      shown = undefined;
      frame.hidden = true;
      setText(words, text);
    },
  };
}

const NO_STOP: Stop = { atMs: 0, watts: 0, words: '' };

function layOut(
  load: Load,
  spans: readonly ForecastSpan[],
  { nowMs, width }: { readonly nowMs: number; readonly width: number },
): Drawing {
  const values = [...load.slots.map((slot) => slot.meanW), ...spans.flatMap((span) => [span.lowW, span.highW])];
  const until = Math.max(nowMs + AHEAD_MS, ...spans.map((span) => span.toMs));
  return {
    load,
    spans,
    x: timeScale({ from: load.fromMs, to: until }, { from: MARGIN.left, to: width - MARGIN.right }, LABEL_GAP),
    y: valueScale(
      { from: Math.min(0, ...values), to: Math.max(1, ...values) },
      { from: HEIGHT - MARGIN.bottom, to: MARGIN.top },
      4,
    ),
  };
}

function picture(
  drawing: Drawing,
  { nowMs, width, cursor }: { readonly nowMs: number; readonly width: number; readonly cursor: SVGGElement },
): SVGSVGElement {
  const { load, spans, x, y } = drawing;
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, 'aria-hidden': 'true' },
    ...axes(drawing, width),
    ...runsOf(spans, (a, b) => a.toMs === b.fromMs).flatMap((run) => forecastShapes(run, drawing)),
    ...runsOf(load.slots, (a, b) => b.startMs - a.startMs <= load.slotMs).map((run) => loadShape(run, drawing)),
    nowLine(x.at(nowMs)),
    ...load.anomalies.map((anomaly) => anomalyMark(anomaly, { x, y, slotMs: load.slotMs })),
    cursor,
  );
}

function axes({ x, y }: Drawing, width: number): SVGElement[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const values = y.ticks.map((watts) => {
    const at = y.at(watts);
    return svg(
      'g',
      { class: watts === 0 ? 'grid zero' : 'grid' },
      svg('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at }),
      svg('text', { x: MARGIN.left - 8, y: at + 4, 'text-anchor': 'end' }, axisPower(watts, y.ticks)),
    );
  });
  const times = x.ticks.map((ms) => {
    const at = x.at(ms);
    const midnight = new Date(ms).getHours() === 0;
    const label = [svg('text', { x: at, y: bottom + 17, 'text-anchor': 'middle' }, formatTime(ms))];
    if (midnight)
      label.push(svg('text', { x: at, y: bottom + 32, 'text-anchor': 'middle', class: 'day' }, formatDay(ms)));
    const mark = { x1: at, x2: at, y1: midnight ? MARGIN.top : bottom, y2: bottom + 4 };
    return svg('g', { class: midnight ? 'tick midnight' : 'tick' }, svg('line', mark), ...label);
  });
  return [...values, ...times];
}

/** One unit for the whole axis: that of its largest value. */
function axisPower(watts: number, ticks: readonly number[]): string {
  const largest = Math.max(...ticks.map(Math.abs));
  if (largest < 1_000) return `${Math.round(watts)} W`;
  const step = Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0)) / 1_000;
  const digits = Number.isInteger(step) ? 0 : Number.isInteger(step * 10) ? 1 : 2;
  return `${(watts / 1_000).toFixed(digits)} kW`;
}

const toPath = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

function loadShape(run: readonly SlotRow[], { x, y, load }: Drawing): SVGElement {
  const points = run.map((slot) => [x.at(slot.startMs + load.slotMs / 2), y.at(slot.meanW)] as const);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return svg('g');
  if (points.length === 1) return svg('circle', { class: 'lone', cx: first[0], cy: first[1], r: 1.5 });
  const line = toPath(points);
  const area = `${line}L${last[0].toFixed(1)} ${y.at(0)}L${first[0].toFixed(1)} ${y.at(0)}Z`;
  return svg(
    'g',
    { class: 'measured' },
    svg('path', { class: 'area', d: area }),
    svg('path', { class: 'line', d: line }),
  );
}

/** Steps, because each value is a mean over its span and not a reading at a moment. */
function forecastShapes(run: readonly ForecastSpan[], { x, y }: Drawing): SVGElement[] {
  const steps = (of: (span: ForecastSpan) => number) =>
    run.flatMap((span) => [[x.at(span.fromMs), y.at(of(span))] as const, [x.at(span.toMs), y.at(of(span))] as const]);
  const outline = [...steps((span) => span.highW), ...steps((span) => span.lowW).reverse()];
  return [
    svg('path', { class: 'band', d: `${toPath(outline)}Z` }),
    svg('path', { class: 'median', d: toPath(steps((span) => span.medianW)) }),
  ];
}

function nowLine(x: number): SVGElement {
  return svg(
    'g',
    { class: 'now' },
    svg('line', { x1: x, x2: x, y1: MARGIN.top - 4, y2: HEIGHT - MARGIN.bottom }),
    svg('text', { x, y: MARGIN.top - 7, 'text-anchor': 'middle' }, 'now'),
  );
}

function anomalyMark(
  anomaly: AnomalyRow,
  { x, y, slotMs }: { readonly x: Scale; readonly y: Scale; readonly slotMs: number },
): SVGElement {
  const watts = (anomaly.actualWh * 3_600_000) / slotMs;
  return svg('circle', { class: 'anomaly', cx: x.at(anomaly.startMs + slotMs / 2), cy: y.at(watts), r: 5 });
}

function stopsOf(load: Load, spans: readonly ForecastSpan[]): Stop[] {
  const anomalies = new Map(load.anomalies.map((anomaly) => [anomaly.startMs, anomaly]));
  const measured = load.slots.map((slot) => ({
    atMs: slot.startMs + load.slotMs / 2,
    watts: slot.meanW,
    words: slotWords(slot, anomalies.get(slot.startMs)),
  }));
  const lastMs = measured.at(-1)?.atMs ?? 0;
  const expected = spans
    .filter((span) => span.toMs > lastMs)
    .map((span) => ({ atMs: (span.fromMs + span.toMs) / 2, watts: span.medianW, words: spanWords(span) }));
  return [...measured, ...expected].sort((a, b) => a.atMs - b.atMs);
}

function slotWords(slot: SlotRow, anomaly: AnomalyRow | undefined): string {
  const range = `${formatPower(slot.minW)} to ${formatPower(slot.maxW)}`;
  const score = slot.score === null ? '' : ` · score ${slot.score.toFixed(2)}`;
  const mark = anomaly === undefined ? '' : ` · ${anomaly.type.replaceAll('_', ' ')}`;
  return `${formatMoment(slot.startMs)} · mean ${formatPower(slot.meanW)} (${range}) · ${formatEnergy(slot.energyWh)}${score}${mark}`;
}

function spanWords(span: ForecastSpan): string {
  const band = `${formatPower(span.lowW)} to ${formatPower(span.highW)}`;
  return `${formatMoment(span.fromMs)}–${formatTime(span.toMs)} · forecast ${formatPower(span.medianW)} · 90 % between ${band}`;
}

function nearest(stops: readonly Stop[], atMs: number): number {
  let best = 0;
  stops.forEach((stop, i) => {
    if (Math.abs(stop.atMs - atMs) < Math.abs((stops[best]?.atMs ?? 0) - atMs)) best = i;
  });
  return best;
}

function lastMeasured(stops: readonly Stop[], load: Load | undefined): Stop | undefined {
  const last = load?.slots.at(-1);
  return last === undefined || load === undefined
    ? undefined
    : stops.find((stop) => stop.atMs === last.startMs + load.slotMs / 2);
}
