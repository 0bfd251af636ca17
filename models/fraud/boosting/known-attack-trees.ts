import { seededRandom } from '../../../agent/domain/clock.js';
import { attackFleet, KNOWN_ATTACKS } from '../evaluation/attacked-fleet.js';
import { ROW_WIDTH } from '../features/evidence-row.js';
import { gatherFleetEvidence } from '../features/fleet-evidence.js';
import type { FleetPower } from '../fleet-power.js';
import { type BoostedTrees, trainBoostedTrees } from './boosted-trees.js';

/** Copies of the clean days with other attacks; more of them change little. */
const COPIES = 4;
/** Thefts begin once there is a past to compare with; most meters stay honest, so that the evidence of peers is theirs. */
const THEFTS = { attacks: KNOWN_ATTACKS, share: 0.4, firstDay: 56, days: 30 };

/** A yardstick: what could be had if every attack were known in advance. Self-supervised, on attacks upon clean days. */
export function trainKnownAttackTrees(clean: FleetPower, seed: number): BoostedTrees {
  const random = seededRandom(seed);
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (let copy = 0; copy < COPIES; copy++) {
    const { fleet, thefts } = attackFleet(clean, { ...THEFTS, random });
    const evidence = gatherFleetEvidence(fleet);
    for (const meter of fleet.meters.keys()) {
      const theft = thefts.find((one) => one.meter === meter);
      for (let day = THEFTS.firstDay; day < fleet.days; day++) {
        const row = evidence.row(meter, day);
        if (row === undefined) continue;
        rows.push(row);
        labels.push(theft !== undefined && day >= theft.firstDay && day <= theft.lastDay ? 1 : 0);
      }
    }
  }
  const flat = new Float32Array(rows.length * ROW_WIDTH);
  for (const [index, row] of rows.entries()) flat.set(row, index * ROW_WIDTH);
  return trainBoostedTrees({ rows: flat, features: ROW_WIDTH, labels: Uint8Array.from(labels), seed });
}
