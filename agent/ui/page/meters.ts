import type { MeterList, MeterRow, Sparklines } from '../../api/wire.js';
import { byId, createList, html, setAttribute, setText } from './elements.js';
import { formatAge, formatPower, formatWhole, NONE } from './format.js';
import { sparkline } from './sparkline.js';

export interface MeterTable {
  show(list: MeterList, nowMs: number): void;
  showSparklines(sparklines: Sparklines): void;
  mark(selected: string | undefined): void;
}

/** The first meters that the filter leaves; whoever picks one hears of it through `onSelect`. */
export function createMeterTable(onSelect: (id: string) => void): MeterTable {
  const note = byId('meters-note');
  const pictures = new Map<string, HTMLElement>();
  let selected: string | undefined;
  let nowMs = 0;
  let list: MeterList | undefined;

  const listRows = createList<MeterRow>(
    byId('meter-rows'),
    (row) => row.id,
    ({ id }) => {
      const button = html('button', { type: 'button', class: 'pick' }, id);
      const under = html('span', { class: 'under' });
      const picture = html('td', { class: 'wide' });
      const power = html('td', { class: 'number' });
      const age = html('td', { class: 'number age' });
      const element = html('tr', {}, html('th', { scope: 'row' }, button, under), picture, power, age);
      element.addEventListener('click', () => onSelect(id));
      pictures.set(id, picture);
      return {
        element,
        update(row) {
          setAttribute(element, 'data-state', row.state);
          setAttribute(button, 'aria-pressed', String(row.id === selected));
          setAttribute(element, 'class', row.id === selected ? 'selected' : null);
          setText(under, underName(row));
          setText(power, formatPower(row.last?.powerW ?? null));
          setText(age, row.last === null ? NONE : formatAge(nowMs - row.last.takenAtMs));
        },
      };
    },
  );

  function show(): void {
    if (list === undefined) return;
    listRows(list.meters);
    const kept = new Set(list.meters.map((row) => row.id));
    for (const id of pictures.keys()) if (!kept.has(id)) pictures.delete(id);
    setText(note, noteOf(list));
  }

  return {
    show(newList, atMs) {
      list = newList;
      nowMs = atMs;
      show();
    },
    showSparklines({ series }) {
      for (const [id, values] of Object.entries(series)) pictures.get(id)?.replaceChildren(sparkline(values));
    },
    mark(id) {
      selected = id;
      show();
    },
  };
}

function underName({ state, kind, feeder }: MeterRow): string {
  const place = kind === 'feeder' ? 'feeder' : (feeder ?? 'no feeder');
  return state === 'reporting' ? place : `${place} · ${state === 'silent' ? 'silent' : 'nothing yet'}`;
}

function noteOf({ known, matched, meters }: MeterList): string {
  if (known === 0) return 'No meter yet. Publish a reading to meters/<name>/reading and it appears here.';
  if (matched === 0) return 'No meter fits the filter.';
  if (meters.length < matched)
    return `The first ${meters.length} of ${formatWhole(matched)}; the filter finds the others.`;
  return matched === known ? '' : `${formatWhole(matched)} of ${formatWhole(known)} meters.`;
}
