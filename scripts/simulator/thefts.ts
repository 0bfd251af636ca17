import type { Random } from '../../agent/domain/clock.js';
import { ATTACK_KINDS, type Attack, applyAttack, drawAttack, meanDrawn } from '../../models/fleet/attacks.js';
import { between, streamOf } from '../../models/fleet/random-stream.js';
import type { Street } from '../../models/fleet/street.js';

const DAY_MS = 86_400_000;

/** What a thief does, from when to when. */
export interface Theft {
  readonly customer: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly deed: Deed;
}

/** An attack changes what the meter counts; the others change what it shows. */
export type Deed =
  | Attack
  /** The cover was opened, and the load is bypassed by half. */
  | { readonly kind: 'tamper_flag'; readonly share: number }
  /** The register is set back, at the beginning. */
  | { readonly kind: 'register_rollback'; readonly wh: number }
  /** Two meters change places, so that each shows the load of the other. */
  | { readonly kind: 'swapped_meters'; readonly with: number };

export type DeedKind = Deed['kind'];

export const DEED_KINDS = [
  ...ATTACK_KINDS,
  'tamper_flag',
  'register_rollback',
  'swapped_meters',
] as const satisfies readonly DeedKind[];

interface Planned {
  readonly count: number;
  readonly kinds: readonly DeedKind[];
  readonly seed: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const PLAN_STREAM = 31;
const STEAL_STREAM = 32;
/** A thief's scale is what the home usually draws; rooms may stand empty for a month, and people be away for another. */
const USUAL_DAYS = 3;
const SEARCHED_DAYS = 70;

/** Not enough customers for what they are to do. */
export interface Shortage {
  readonly shortage: string;
}

/** Thieves among the customers, each with one deed, the kinds in turn so that a few cover them all. */
export function planThefts(street: Street, planned: Planned): readonly Theft[] | Shortage {
  const { seed, fromMs, toMs } = planned;
  const random = streamOf(seed, PLAN_STREAM);
  const order = Array.from({ length: street.customers }, (_, customer) => ({ customer, lot: random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ customer }) => customer);
  const cast = castOf(street, planned, order);
  if ('shortage' in cast) return cast;
  return cast.map(({ kind, customer, partner }): Theft => {
    // It begins within the first half, so that there is an honest part before it and enough of it to see.
    const begins = Math.floor(between(random, fromMs + (toMs - fromMs) / 10, (fromMs + toMs) / 2));
    const usual = usualOf(street, customer, Math.floor(fromMs / DAY_MS));
    const deed = drawDeed(kind, { usual, random, partner, phases: street.phasesOf(customer) });
    return { customer, fromMs: begins, toMs, deed };
  });
}

interface Part {
  readonly kind: DeedKind;
  readonly customer: number;
  readonly partner: number | undefined;
}

/** Who does what, from a list of all customers. */
function castOf(
  street: Street,
  { count, kinds }: Pick<Planned, 'count' | 'kinds'>,
  order: readonly number[],
): readonly Part[] | Shortage {
  const wanted = Array.from({ length: count }, (_, next) => kinds[next % kinds.length]).filter(
    (kind) => kind !== undefined,
  );
  const isReversed = (kind: DeedKind): boolean => kind === 'reversed_phase';
  // Few homes have a phase to reverse and others beside it: they are given away first.
  const several = order.filter((customer) => street.phasesOf(customer).length > 1);
  const reversed = several.slice(0, wanted.filter(isReversed).length);
  const rest = order.filter((customer) => !reversed.includes(customer));
  const cast: Part[] = [];
  for (const kind of wanted) {
    const customer = (isReversed(kind) ? reversed : rest).shift();
    const partner = kind === 'swapped_meters' ? rest.shift() : undefined;
    if (customer === undefined || (kind === 'swapped_meters' && partner === undefined))
      return { shortage: shortageOf(wanted, { several: several.length, customers: order.length }) };
    cast.push({ kind, customer, partner });
  }
  return cast;
}

function shortageOf(
  wanted: readonly DeedKind[],
  { several, customers }: { several: number; customers: number },
): string {
  const reversed = wanted.filter((kind) => kind === 'reversed_phase').length;
  if (reversed > several)
    return `reversed_phase is a deed in homes with several phases: ${reversed} are wanted, and ${several} of the ${customers} customers live in one`;
  const swaps = wanted.filter((kind) => kind === 'swapped_meters').length;
  return `--thefts ${wanted.length} need ${wanted.length + swaps} customers, as each of swapped_meters takes two, and there are ${customers}`;
}

/** The first days on which somebody is at home. */
function usualOf(street: Street, customer: number, firstDay: number): Float32Array {
  const lived: number[] = [];
  for (let day = firstDay; day < firstDay + SEARCHED_DAYS && lived.length < USUAL_DAYS; day++) {
    if (street.isLivedIn(customer, day)) lived.push(day);
  }
  return Float32Array.from(
    (lived.length > 0 ? lived : [firstDay]).flatMap((day) => [...street.customerW(customer, day)]),
  );
}

interface Drawing {
  readonly usual: Float32Array;
  readonly random: Random;
  readonly partner: number | undefined;
  readonly phases: readonly number[];
}

function drawDeed(kind: DeedKind, { usual, random, partner, phases }: Drawing): Deed {
  switch (kind) {
    case 'reversed_phase':
      // With more than half of the load on it the meter would run backwards, which is seen at once.
      return { kind, phaseShare: Math.max(...phases.filter((share) => share < 0.5)) };
    case 'tamper_flag':
      return { kind, share: between(random, 0.2, 0.7) };
    case 'register_rollback':
      return { kind, wh: Math.round(between(random, 20_000, 200_000)) };
    case 'swapped_meters':
      return { kind, with: partner ?? 0 };
    default:
      return drawAttack(kind, usual, random);
  }
}

/** What the customer's meter counts on that day, from what really flows. */
export function countedW(
  watts: Float32Array,
  theft: Theft | undefined,
  at: { seed: number; day: number },
): Float32Array {
  const attack = theft === undefined ? undefined : attackOf(theft.deed);
  if (theft === undefined || attack === undefined) return watts;
  const stepsPerDay = watts.length;
  const stepMs = DAY_MS / stepsPerDay;
  const stepOf = (atMs: number): number =>
    Math.min(Math.max(Math.round((atMs - at.day * DAY_MS) / stepMs), 0), stepsPerDay);
  const [from, to] = [stepOf(theft.fromMs), stepOf(theft.toMs)];
  if (from >= to) return watts;
  const elapsedSteps = Math.max(Math.round((at.day * DAY_MS + from * stepMs - theft.fromMs) / stepMs), 0);
  const random = streamOf(at.seed, STEAL_STREAM, theft.customer, at.day);
  const values = watts.subarray(from, to);
  const series = { values, stepsPerDay, firstStep: from, elapsedSteps };
  const counted = watts.slice();
  // Where nothing flows a meter counts nothing, whatever it was made to say.
  counted.set(
    applyAttack(series, forDay(attack, values), random).map((after, step) => (values[step] === 0 ? 0 : after)),
    from,
  );
  return counted;
}

/** Who is away draws less than the usual mean: a share of that would be more than there was. */
function forDay(attack: Attack, values: Float32Array): Attack {
  return attack.kind === 'mean_share' ? { ...attack, mean: Math.min(attack.mean, meanDrawn(values)) } : attack;
}

function attackOf(deed: Deed): Attack | undefined {
  switch (deed.kind) {
    case 'tamper_flag':
      return { kind: 'constant_share', share: deed.share };
    case 'register_rollback':
    case 'swapped_meters':
      return undefined;
    default:
      return deed;
  }
}
