import { svg } from './elements.js';
import { runsOf } from './series.js';

const WIDTH = 104;
const HEIGHT = 26;

/** The shape of a day, from zero to its own largest value; a gap stays a gap. */
export function sparkline(values: readonly (number | null)[]): SVGSVGElement {
  const largest = Math.max(1, ...values.map((value) => value ?? 0));
  const least = Math.min(0, ...values.map((value) => value ?? 0));
  const points = values.flatMap((value, i) => (value === null ? [] : [{ i, value }]));
  const at = ({ i, value }: { readonly i: number; readonly value: number }) => {
    const x = (i / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - ((value - least) / (largest - least)) * (HEIGHT - 3);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  };
  const paths = runsOf(points, (a, b) => b.i === a.i + 1).map(
    (run) => `M${run.map(at).join('L')}${run.length === 1 ? 'h.1' : ''}`,
  );
  return svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, 'aria-hidden': 'true' },
    svg('path', { d: paths.join('') }),
  );
}
