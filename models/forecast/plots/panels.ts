import { area, axes, COLOURS, frameOf, polyline, roundTicks, svg, text } from '../../svg.js';

export interface Panel {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly x: readonly [from: number, to: number];
  readonly xTicks: readonly number[];
  /** Otherwise from zero, or the lowest value, to the highest. */
  readonly y?: readonly [from: number, to: number];
  /** Drawn in this order, the first ones at the bottom. */
  readonly areas?: readonly Area[];
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  readonly colour?: string;
  readonly points: readonly Point[];
}

export interface Area {
  readonly name: string;
  readonly colour: string;
  readonly lower: readonly Point[];
  readonly upper: readonly Point[];
}

export type Point = readonly [x: number, y: number];

const SIZE = { width: 480, height: 300 };
const LEGEND_LINE = 20;
/** Of sans-serif text of this size, on the average. */
const LETTER = 6.5;

/** Panels side by side over one legend. */
export function drawPanels(panels: readonly Panel[]): string {
  const width = SIZE.width * panels.length;
  const legend = legendOf(panels, width);
  const size = { width, height: SIZE.height + 8 + LEGEND_LINE * legend.lines };
  return svg(size, [...panels.flatMap((panel, index) => drawPanel(panel, index * SIZE.width)), ...legend.parts]);
}

function drawPanel(panel: Panel, from: number): string[] {
  const { title, xTitle, yTitle, x, xTicks, areas = [], lines } = panel;
  const [low, high] = panel.y ?? rangeOf(panel);
  const frame = frameOf({ ...SIZE, x, y: [low, high] }, from);
  return [
    `<text x="${frame.left}" y="14" font-weight="bold">${title}</text>`,
    text({ x: frame.left, y: 30 }, yTitle),
    ...areas.map(({ lower, upper, colour }) => area(frame, lower, upper, colour)),
    ...axes(frame, { x: xTicks, y: roundTicks(high, low) }),
    ...lines.map(({ points, colour }, index) => polyline(frame, points, colour ?? colourAt(index))),
    text({ x: (frame.left + frame.right) / 2 - (xTitle.length * LETTER) / 2, y: frame.bottom + 32 }, xTitle),
  ];
}

const colourAt = (index: number): string => COLOURS[index % COLOURS.length] as string;

function rangeOf({ areas = [], lines }: Panel): readonly [number, number] {
  const points = [
    ...areas.flatMap(({ lower, upper }) => [...lower, ...upper]),
    ...lines.flatMap((line) => line.points),
  ];
  const values = points.map(([, y]) => y).filter(Number.isFinite);
  return [Math.min(0, ...values), Math.max(1, ...values)];
}

/** Of the first panel: the others have the same lines. As many lines as it needs. */
function legendOf([panel]: readonly Panel[], width: number): { readonly lines: number; readonly parts: string[] } {
  const entries = [
    ...(panel?.areas ?? []).map(({ name, colour }) => ({ name, colour, thick: 8 })),
    ...(panel?.lines ?? []).map(({ name, colour }, index) => ({ name, colour: colour ?? colourAt(index), thick: 3 })),
  ];
  const { left, right } = frameOf({ ...SIZE, width, x: [0, 1], y: [0, 1] });
  let [x, line] = [left, 0];
  const parts = entries.flatMap(({ name, colour, thick }) => {
    const wide = 40 + name.length * LETTER;
    if (x > left && x + wide > right) [x, line] = [left, line + 1];
    const [at, y] = [x, SIZE.height + 14 + LEGEND_LINE * line];
    x += wide;
    return [
      `<path d="M${at} ${y}h18" stroke="${colour}" stroke-width="${thick}"/>`,
      text({ x: at + 24, y: y + 4 }, name),
    ];
  });
  return { lines: line + 1, parts };
}
