/** A rectangle of a drawing, and what its edges stand for. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: readonly [from: number, to: number];
  readonly y: readonly [from: number, to: number];
}

const MARGIN = { left: 56, right: 16, top: 36, bottom: 36 };
const TICKS = 5;

/** Lines of one drawing, told apart. */
export const COLOURS = ['#1b6ca8', '#c2410c', '#4d7c0f', '#7c3aed', '#525252', '#a16207'] as const;

type FrameSize = { readonly width: number; readonly height: number } & Pick<Frame, 'x' | 'y'>;

/** `from` dots from the left edge of the drawing. */
export function frameOf({ width, height, x, y }: FrameSize, from = 0): Frame {
  const { left, right, top, bottom } = MARGIN;
  return { left: from + left, right: from + width - right, top, bottom: height - bottom, x, y };
}

const across = ({ left, right, x: [from, to] }: Frame, value: number): number =>
  left + ((value - from) / (to - from || 1)) * (right - left);
const up = ({ top, bottom, y: [from, to] }: Frame, value: number): number =>
  bottom - ((value - from) / (to - from || 1)) * (bottom - top);
const short = (value: number): string => String(Number(value.toFixed(1)));

type Point = readonly [x: number, y: number];

/** Values that are not finite interrupt the line. */
export function polyline(frame: Frame, points: readonly Point[], colour: string): string {
  return `<path d="${pathOf(frame, points)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
}

/** What lies between two lines over the same places. */
export function area(frame: Frame, lower: readonly Point[], upper: readonly Point[], colour: string): string {
  const around = [...upper, ...lower.toReversed()].filter((point) => point.every(Number.isFinite));
  return `<path d="${pathOf(frame, around)}z" fill="${colour}"/>`;
}

/** Each point as its distance from the one before, in whole dots: half of the bytes, and nothing that an eye misses. */
function pathOf(frame: Frame, points: readonly Point[]): string {
  const parts: string[] = [];
  let before: Point | undefined;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      before = undefined;
      continue;
    }
    const at: Point = [Math.round(across(frame, x)), Math.round(up(frame, y))];
    const [dx, dy] = before === undefined ? at : [at[0] - before[0], at[1] - before[1]];
    parts.push(`${before === undefined ? 'M' : 'l'}${dx}${dy < 0 ? '' : ' '}${dy}`);
    before = at;
  }
  return parts.join('');
}

export function band(frame: Frame, [from, to]: readonly [number, number], colour: string): string {
  const x = across(frame, from);
  const width = Math.max(across(frame, to) - x, 1);
  return `<rect x="${short(x)}" y="${frame.top}" width="${short(width)}" height="${frame.bottom - frame.top}" fill="${colour}"/>`;
}

/** Where an axis bears numbers; in even parts where nothing is said. */
export interface Ticks {
  readonly x?: readonly number[];
  /** Where x is no plain number. */
  readonly xName?: (value: number) => string;
  readonly y?: readonly number[];
}

export function axes(frame: Frame, { x = evenly(frame.x), xName = figure, y = evenly(frame.y) }: Ticks = {}): string[] {
  return [
    `<path d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}" fill="none" stroke="#525252"/>`,
    ...x.map((value) => text({ x: across(frame, value) - 8, y: frame.bottom + 18 }, xName(value))),
    ...y.map((value) => text({ x: frame.left - 48, y: up(frame, value) + 4 }, figure(value))),
  ];
}

const evenly = ([from, to]: readonly [number, number]): readonly number[] =>
  Array.from({ length: TICKS + 1 }, (_, tick) => from + ((to - from) * tick) / TICKS);

/** From `lowest` to `highest` in steps that people count in. */
export function roundTicks(highest: number, lowest = 0): readonly number[] {
  const range = highest - lowest;
  const unit = 10 ** Math.floor(Math.log10(range / 2));
  const step = ([1, 2, 5, 10].find((times) => range / (times * unit) <= TICKS) ?? 10) * unit;
  const first = Math.ceil(lowest / step);
  return Array.from({ length: Math.floor(highest / step) - first + 1 }, (_, tick) => (first + tick) * step);
}

const figure = (value: number): string => String(Number(value.toPrecision(3)));

export const text = (at: { readonly x: number; readonly y: number }, words: string, colour?: string): string => {
  const fill = colour === undefined ? '' : ` fill="${colour}"`;
  return `<text x="${short(at.x)}" y="${short(at.y)}"${fill}>${escaped(words)}</text>`;
};

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (words: string): string => words.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);

export const svg = ({ width, height }: { width: number; height: number }, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#262626"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>\n`;
