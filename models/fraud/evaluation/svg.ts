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

export function frameOf({ width, height, x, y }: { width: number; height: number } & Pick<Frame, 'x' | 'y'>): Frame {
  return { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom, x, y };
}

const across = ({ left, right, x: [from, to] }: Frame, value: number): number =>
  left + ((value - from) / (to - from || 1)) * (right - left);
const up = ({ top, bottom, y: [from, to] }: Frame, value: number): number =>
  bottom - ((value - from) / (to - from || 1)) * (bottom - top);
const short = (value: number): string => String(Number(value.toFixed(1)));

/** Values that are not finite interrupt the line. */
export function polyline(frame: Frame, points: readonly (readonly [number, number])[], colour: string): string {
  const parts: string[] = [];
  let drawing = false;
  for (const [x, y] of points) {
    const known = Number.isFinite(x) && Number.isFinite(y);
    if (known) parts.push(`${drawing ? 'L' : 'M'}${short(across(frame, x))} ${short(up(frame, y))}`);
    drawing = known;
  }
  return `<path d="${parts.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
}

export function band(frame: Frame, [from, to]: readonly [number, number], colour: string): string {
  const x = across(frame, from);
  const width = Math.max(across(frame, to) - x, 1);
  return `<rect x="${short(x)}" y="${frame.top}" width="${short(width)}" height="${frame.bottom - frame.top}" fill="${colour}"/>`;
}

export function axes(frame: Frame): string[] {
  const steps = Array.from({ length: TICKS + 1 }, (_, tick) => tick / TICKS);
  const at = ([from, to]: readonly [number, number], share: number) => from + (to - from) * share;
  return [
    `<path d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}" fill="none" stroke="#525252"/>`,
    ...steps.map((share) => {
      const value = at(frame.x, share);
      return text({ x: across(frame, value) - 8, y: frame.bottom + 18 }, figure(value));
    }),
    ...steps.map((share) => {
      const value = at(frame.y, share);
      return text({ x: 8, y: up(frame, value) + 4 }, figure(value));
    }),
  ];
}

const figure = (value: number): string => String(Number(value.toPrecision(3)));

export const text = (at: { readonly x: number; readonly y: number }, words: string, colour = '#262626'): string =>
  `<text x="${short(at.x)}" y="${short(at.y)}" font-size="12" font-family="sans-serif" fill="${colour}">${escaped(words)}</text>`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (words: string): string => words.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);

export const svg = ({ width, height }: { width: number; height: number }, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>\n`;
