import { axes, COLOURS, type Frame, frameOf, polyline, svg, text } from '../../svg.js';
import { type Cut, cutsOf, type Judged } from './ranking-measures.js';

export interface NamedScores {
  readonly name: string;
  readonly judged: Judged;
}

const SIZE = { width: 640, height: 480 };

/** How many thefts are found against how many honest days are accused. */
export function rocCurve(all: readonly NamedScores[]): string {
  return curves(all, { title: 'ROC: share of theft days found, by share of honest days accused', point: rocPoint });
}

/** How many of the accused days are thefts, against how many thefts are found. */
export function precisionRecallCurve(all: readonly NamedScores[]): string {
  return curves(all, { title: 'Precision, by share of theft days found', point: precisionPoint });
}

type Point = readonly [x: number, y: number];
type Totals = Pick<Cut, 'truePositives' | 'falsePositives'>;

const rocPoint = ({ truePositives, falsePositives }: Cut, total: Totals): Point => [
  falsePositives / total.falsePositives,
  truePositives / total.truePositives,
];

const precisionPoint = ({ truePositives, falsePositives }: Cut, total: Totals): Point => [
  truePositives / total.truePositives,
  truePositives / (truePositives + falsePositives),
];

function curves(
  all: readonly NamedScores[],
  { title, point }: { title: string; point: (cut: Cut, total: Totals) => Point },
): string {
  const frame: Frame = frameOf({ ...SIZE, x: [0, 1], y: [0, 1] });
  const lines = all.flatMap(({ name, judged }, index) => {
    const colour = COLOURS[index % COLOURS.length] as string;
    const cuts = cutsOf(judged);
    const total = cuts.at(-1);
    if (total === undefined) return [];
    return [
      polyline(
        frame,
        cuts.map((cut) => point(cut, total)),
        colour,
      ),
      text({ x: frame.right - 210, y: frame.bottom - 14 - 18 * (all.length - index) }, name, colour),
    ];
  });
  return svg(SIZE, [text({ x: frame.left, y: 20 }, title), ...axes(frame), ...lines]);
}
