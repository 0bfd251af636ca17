import type { DayRow, Days } from '../../api/wire.js';
import { html, setText, svg } from './elements.js';
import { formatDate, formatEnergy, formatPower, formatWhole } from './format.js';

const HEIGHT = 64;
const DAY_MS = 86_400_000;
/** So narrow that a year fits a card, so wide that a single day is seen. */
const WIDEST_BAR = 14;

export interface DayBars {
  show(days: Days): void;
  clear(): void;
}

/** Energy of each day over a year: what a meter used to take, and since when it takes less. */
export function createDayBars(parent: HTMLElement): DayBars {
  const words = html('p', { class: 'readout resting' });
  const frame = html('div', { class: 'days', role: 'img', hidden: '' });
  parent.append(words, frame);
  let shown: { readonly days: Days; readonly from: number; readonly picture: SVGSVGElement } | undefined;

  function rest(): void {
    if (shown !== undefined) setText(words, summary(shown.days));
    words.classList.add('resting');
  }

  frame.addEventListener('pointermove', (event) => {
    if (shown === undefined) return;
    const { days, from, picture } = shown;
    const { left, width } = picture.getBoundingClientRect();
    const at = from + Math.floor(((event.clientX - left) / width) * (days.days.length - from));
    const day = days.days[at];
    if (day === undefined) return rest();
    setText(words, dayWords(days.fromMs + at * DAY_MS, day));
    words.classList.remove('resting');
  });
  frame.addEventListener('pointerleave', rest);

  return {
    show(days) {
      const from = days.days.findIndex((day) => day !== null);
      frame.hidden = from < 0;
      if (from < 0) {
        shown = undefined;
        setText(words, 'No energy is known yet.');
        return;
      }
      const picture = bars(days.days.slice(from), frame.clientWidth);
      shown = { days, from, picture };
      frame.replaceChildren(picture);
      frame.setAttribute('aria-label', summary(days));
      rest();
    },
    clear() {
      shown = undefined;
      frame.hidden = true;
      setText(words, '');
    },
  };
}

function bars(days: readonly (DayRow | null)[], width: number): SVGSVGElement {
  const largest = Math.max(1, ...days.map((day) => day?.energyWh ?? 0));
  const least = Math.min(0, ...days.map((day) => day?.energyWh ?? 0));
  const y = (energyWh: number) => HEIGHT - 1 - ((energyWh - least) / (largest - least)) * (HEIGHT - 2);
  const drawn = days.map((day, x) => {
    if (day === null) return svg('rect', { class: 'none', x, y: y(0) - 1, width: 0.8, height: 1 });
    const [top, bottom] = [Math.min(y(day.energyWh), y(0)), Math.max(y(day.energyWh), y(0))];
    // A day that was hardly heard says little.
    return svg('rect', {
      class: day.coverage < 0.5 ? 'thin' : undefined,
      x,
      y: top,
      width: 0.8,
      height: Math.max(0.5, bottom - top),
    });
  });
  return svg(
    'svg',
    {
      viewBox: `0 0 ${days.length} ${HEIGHT}`,
      width: Math.min(width, days.length * WIDEST_BAR),
      height: HEIGHT,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...drawn,
  );
}

function summary({ days }: Days): string {
  const known = days.filter((day) => day !== null);
  const whole = known.filter((day) => day.coverage >= 0.5).map((day) => day.energyWh);
  const middle = [...whole].sort((a, b) => a - b)[whole.length >> 1];
  const count = `${formatWhole(known.length)} ${known.length === 1 ? 'day' : 'days'}`;
  return middle === undefined
    ? `Energy of ${count}`
    : `Energy of ${count} · half of them above ${formatEnergy(middle)}`;
}

function dayWords(startMs: number, day: DayRow | null): string {
  if (day === null) return `${formatDate(startMs)} · nothing is known`;
  const estimated = day.estimatedWh === 0 ? '' : `, ${formatEnergy(day.estimatedWh)} of it in gaps`;
  const covered = day.coverage > 0.995 ? '' : ` · ${Math.round(day.coverage * 100)} % of the day heard`;
  return `${formatDate(startMs)} (UTC) · ${formatEnergy(day.energyWh)}${estimated} · at most ${formatPower(day.maxW)}${covered}`;
}
