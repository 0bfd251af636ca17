/** One reading of the import register; `atMs` counts from the start of the slot that is looked at. */
export interface RegisterPoint {
  readonly atMs: number;
  readonly dwh: number;
  /** Begins a level of its own: what lies between it and the one before is unknown. */
  readonly anew: boolean;
  /** Stood below what a packed day had counted by then, and is taken for that. */
  readonly raised: boolean;
}

/**
 * What a slot's readings say of the register, ascending: two numbers side by side for each. An object for each would be
 * four times the memory, and outlive the young generation with every reading.
 */
export type RegisterPoints = number[];

const WIDTH = 2;
/** Beside the moment, in its lowest bits. */
const ANEW = 1;
const RAISED = 2;
const BITS = 4;

export const countOf = (points: Readonly<RegisterPoints>): number => points.length / WIDTH;

export function pointAt(points: Readonly<RegisterPoints>, index: number): RegisterPoint | undefined {
  const mark = points[index * WIDTH];
  const dwh = points[index * WIDTH + 1];
  if (mark === undefined || dwh === undefined) return undefined;
  const bits = mark % BITS;
  return { atMs: (mark - bits) / BITS, dwh, anew: (bits & ANEW) !== 0, raised: (bits & RAISED) !== 0 };
}

export const lastOf = (points: Readonly<RegisterPoints>): RegisterPoint | undefined =>
  pointAt(points, countOf(points) - 1);

export const pointsOf = (points: Readonly<RegisterPoints>): readonly RegisterPoint[] =>
  Array.from({ length: countOf(points) }, (_, index) => pointAt(points, index)).filter((point) => point !== undefined);

/** Where its moment belongs; nearly always at the end. */
export function insertPoint(points: RegisterPoints, point: RegisterPoint): void {
  const mark = markOf(point);
  let place = points.length;
  while (place > 0 && (points[place - WIDTH] ?? 0) > mark) place -= WIDTH;
  if (place === points.length) points.push(mark, point.dwh);
  else points.splice(place, 0, mark, point.dwh);
}

export function replacePoint(points: RegisterPoints, index: number, point: RegisterPoint): void {
  points[index * WIDTH] = markOf(point);
  points[index * WIDTH + 1] = point.dwh;
}

const markOf = ({ atMs, anew, raised }: RegisterPoint): number =>
  atMs * BITS + (anew ? ANEW : 0) + (raised ? RAISED : 0);
