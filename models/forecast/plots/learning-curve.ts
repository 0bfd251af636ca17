import type { TrainingRecord } from '../train/checkpoint.js';
import { drawPanels } from './panels.js';

export const LEARNING_CURVE = 'learning-curve.svg';

const MOST_TICKS = 8;
/** Of the range of the losses, left free above and below. */
const MARGIN = 0.05;

/** Loss after each epoch, on what was learnt from and on the weeks that were kept out. */
export function learningCurvePlot({ curve, bestEpoch }: TrainingRecord): string {
  const losses = curve.flatMap(({ training, validation }) => [training, validation]);
  const [lowest, highest] = [Math.min(...losses), Math.max(...losses)];
  const margin = MARGIN * (highest - lowest) || MARGIN * highest;
  const y = [lowest - margin, highest + margin] as const;
  const line = (name: string, lossOf: (epoch: TrainingRecord['curve'][number]) => number) => ({
    name,
    points: curve.map((epoch, index) => [index + 1, lossOf(epoch)] as const),
  });
  return drawPanels([
    {
      title: `Learning curve, best after epoch ${bestEpoch}`,
      xTitle: 'epoch',
      yTitle: 'mean pinball loss',
      x: [1, Math.max(curve.length, 2)],
      xTicks: everyFew(curve.length),
      y,
      lines: [
        line('training', ({ training }) => training),
        line('weeks kept out', ({ validation }) => validation),
        { name: 'best', colour: '#a3a3a3', points: y.map((end) => [bestEpoch, end] as const) },
      ],
    },
  ]);
}

function everyFew(epochs: number): readonly number[] {
  const every = Math.ceil(epochs / MOST_TICKS);
  return Array.from({ length: Math.floor(epochs / every) }, (_, index) => (index + 1) * every);
}
