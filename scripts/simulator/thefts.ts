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

/** Thieves among the customers, each with one deed, the kinds in turn so that a few cover them all. */
export function planThefts(street: Street, { count, kinds, seed, fromMs, toMs }: Planned): readonly Theft[] {
  const random = streamOf(seed, PLAN_STREAM);
  const order = Array.from({ length: street.customers }, (_, customer) => ({ customer, lot: random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ customer }) => customer);
  const thefts: Theft[] = [];
  for (let next = 0; thefts.length < count && order.length > 0; next++) {
    const kind = kinds[next % kinds.length];
    const customer = order.shift();
    if (kind === undefined || customer === undefined) break;
    const partner = kind === 'swapped_meters' ? order.shift() : undefined;
    if (kind === 'swapped_meters' && partner === undefined) break;
    // It begins within the first half, so that there is an honest part before it and enough of it to see.
    const begins = Math.floor(between(random, fromMs + (toMs - fromMs) / 10, (fromMs + toMs) / 2));
    const deed = drawDeed(kind, { usual: usualOf(street, customer, Math.floor(fromMs / DAY_MS)), random, partner });
    thefts.push({ customer, fromMs: begins, toMs, deed });
  }
  return thefts;
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
}

function drawDeed(kind: DeedKind, { usual, random, partner }: Drawing): Deed {
  switch (kind) {
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
