import { seededRandom } from '../../../agent/domain/clock.js';
import { attackFleet, KNOWN_ATTACKS } from '../evaluation/attacked-fleet.js';
import { ROW_WIDTH } from '../features/evidence-row.js';
import { gatherFleetEvidence } from '../features/fleet-evidence.js';
import type { FleetPower } from '../fleet-power.js';
import { type BoostedTrees, trainBoostedTrees } from './boosted-trees.js';
import { gatherOnsets, ONSET_WIDTH } from './onset.js';
import { gatherTextures, TEXTURE_WIDTH } from './texture.js';

const WIDTH = ROW_WIDTH + ONSET_WIDTH + TEXTURE_WIDTH;
/** Copies of the clean days with other attacks: on other homes twice as many as four give a little more. */
const COPIES = 8;
/** Thefts begin once there is a past to compare with; most meters stay honest, so that the evidence of peers is theirs. */
const THEFTS = { attacks: KNOWN_ATTACKS, share: 0.4, firstDay: 56, days: 30 };

/** A yardstick: what could be had if every attack were known in advance. Self-supervised, on attacks upon clean days. */
export function trainKnownAttackTrees(clean: FleetPower, seed: number): BoostedTrees {
  const random = seededRandom(seed);
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (let copy = 0; copy < COPIES; copy++) {
    const { fleet, thefts } = attackFleet(clean, { ...THEFTS, random });
    const rowOf = gatherKnownAttackRows(fleet);
    for (const meter of fleet.meters.keys()) {
      const theft = thefts.find((one) => one.meter === meter);
      for (let day = THEFTS.firstDay; day < fleet.days; day++) {
        const row = rowOf(meter, day);
        if (row === undefined) continue;
        rows.push(row);
        labels.push(theft !== undefined && day >= theft.firstDay && day <= theft.lastDay ? 1 : 0);
      }
    }
  }
  const flat = new Float32Array(rows.length * WIDTH);
  for (const [index, row] of rows.entries()) flat.set(row, index * WIDTH);
  return trainBoostedTrees({ rows: flat, features: WIDTH, labels: Uint8Array.from(labels), seed });
}

/** What the trees see of a meter on a day; undefined where it cannot be judged. */
export function gatherKnownAttackRows(fleet: FleetPower): (meter: number, day: number) => Float32Array | undefined {
  const evidence = gatherFleetEvidence(fleet);
  const onsetOf = gatherOnsets(fleet);
  const textureOf = gatherTextures(fleet);
  return (meter, day) => {
    const row = evidence.row(meter, day);
    return row === undefined ? undefined : Float32Array.of(...row, ...onsetOf(meter, day), ...textureOf(meter, day));
  };
}
