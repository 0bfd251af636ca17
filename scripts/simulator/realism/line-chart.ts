export interface Line {
  readonly name: string;
  readonly colour: string;
  /** Pairs of x and y, ascending in x. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  readonly lines: readonly Line[];
  readonly xTicks: readonly number[];
}

const SIZE = { width: 640, height: 280, left: 48, right: 24, top: 40, bottom: 40 };
const Y_TICKS = 4;

/** A plain SVG that reads on light and on dark pages; the vertical axis begins at zero, or below it where a line does. */
export function lineChart({ title, xTitle, lines, xTicks }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const [xMin, xMax] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const step = niceAbove(Math.max(...points.map(([, y]) => y)) / Y_TICKS);
  const yMax = Y_TICKS * step;
  const yMin = step * Math.min(0, Math.floor(Math.min(...points.map(([, y]) => y)) / step));
  const { width, height, left, right, top, bottom } = SIZE;
  const x = (value: number): string => (left + ((value - xMin) / (xMax - xMin)) * (width - left - right)).toFixed(1);
  const y = (value: number): string =>
    (height - bottom - ((value - yMin) / (yMax - yMin)) * (height - top - bottom)).toFixed(1);
  const text = (at: { x: string | number; y: string | number; anchor: string }, words: string): string =>
    `<text x="${at.x}" y="${at.y}" text-anchor="${at.anchor}">${words}</text>`;
  const ticks = Array.from({ length: Math.round((yMax - yMin) / step) + 1 }, (_, tick) => yMin + step * tick);
  const parts = [
    ...ticks.flatMap((value) => [
      `<path d="M${left} ${y(value)}H${width - right}" stroke="#8884" fill="none"/>`,
      text({ x: left - 6, y: Number(y(value)) + 4, anchor: 'end' }, String(Number(value.toPrecision(3)))),
    ]),
    ...xTicks.map((value) => text({ x: x(value), y: height - bottom + 16, anchor: 'middle' }, String(value))),
    text({ x: (left + width - right) / 2, y: height - 6, anchor: 'middle' }, xTitle),
    `<text x="${left}" y="16" font-weight="bold">${title}</text>`,
    ...lines.map(({ colour, points: own }) => {
      const path = own.map(([at, value]) => `${x(at)} ${y(value)}`).join('L');
      return `<path d="M${path}" stroke="${colour}" stroke-width="2" fill="none"/>`;
    }),
    ...lines.map(({ name, colour }, index) => `<text x="${left + index * 200}" y="32" fill="${colour}">${name}</text>`),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#808080">\n<title>${title}</title>\n${parts.join('\n')}\n</svg>\n`;
}

function niceAbove(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((times) => times * unit >= value) ?? 10) * unit;
}
