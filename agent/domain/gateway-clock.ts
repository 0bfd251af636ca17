import { epochMs } from './brand.js';
import type { Clock } from './clock.js';
import type { MachineTime } from './machine-time.js';
import type { Doubt, Evidence, Strictness, Trust } from './trust.js';

/** What the kernel's counter must be added to; a base that is right makes the time right, however often somebody sets the clock. */
export interface Told {
  readonly baseMs: number;
  /** The base lies no further from the truth than that. */
  readonly errorMs: number;
}

/** What a look around has found. */
export interface Findings {
  /** The moment, by the clock of the machine, at which a time service confirmed that clock. */
  readonly confirmedAtMs: number | undefined;
  /** Somebody here may yet confirm it. */
  readonly serviceRuns: boolean;
  /** What the battery-backed clock says. */
  readonly batteryMs: number | undefined;
  readonly meters: Told | undefined;
}

/** What the gateway is going to take for the time; nothing has moved before it is given to `apply`. */
export interface ClockChange {
  readonly trust: Trust;
  readonly baseMs: number;
  /** How far the time moves. */
  readonly byMs: number;
}

/** What an earlier run of the gateway has left. */
export interface Known {
  /** When the last reading arrived whose time is known. */
  readonly lastRowMs: number | undefined;
  /** When the last reading arrived, in whatever time. */
  readonly latestMs: number | undefined;
  /** From the same start of the kernel. */
  readonly baseMs: number | undefined;
}

/**
 * The time of this gateway: the kernel's counter and a base that rests on evidence. The clock of the machine is one
 * witness among others, so that its steps move nothing by themselves.
 */
export interface GatewayClock extends Clock {
  readonly trust: Trust;
  readonly baseMs: number;
  /** How far the clock of the machine lies ahead of this one. */
  readonly machineAheadMs: number;
  /** How often somebody set the clock of the machine. */
  readonly steps: number;
  begin(known: Known): void;
  /** The centre has told the time. */
  tell(told: Told): void;
  /** A person says that the clock of the machine is right. */
  vouch(): void;
  look(findings: Findings): ClockChange | undefined;
  apply(change: ClockChange): void;
}

export interface GatewayClockOptions {
  readonly machine: MachineTime;
  readonly sleep: Clock['sleep'];
  readonly strictness: Strictness;
  /** A clock that stands before it was never set. */
  readonly notBeforeMs: number;
  /** With a centre, its word is waited for. */
  readonly hasCentre: boolean;
}

/** Less is the slow work of a time service and is followed in silence; more is a step. */
export const STEP_MS = 2_000;
/** Until then a link that is slow to come up may bring the centre's word. */
const WAIT_FOR_CENTRE_MS = 600_000;
/** Meters are asked after everybody else had this time to speak. */
const WAIT_FOR_METERS_MS = 120_000;
/** Where nobody can confirm it, a step that has stood for so long was meant. */
const STEP_STANDS_MS = 3_600_000;
/** The battery-backed clock counts in seconds. */
const BATTERY_AGREES_MS = 5_000;
/** The files of a time service and the clock are read a moment apart. */
const MOMENT_MS = 1_000;

export function createGatewayClock(options: GatewayClockOptions): GatewayClock {
  const { machine, strictness } = options;
  const beganMs = machine.sinceBootMs();
  let trust: Trust = { state: 'untrusted', why: 'waiting' };
  let doubtedSinceMs = beganMs;
  let wallBaseMs = machine.wallMs() - beganMs;
  let baseMs = wallBaseMs;
  let lookedMs = beganMs;
  /** Times before it were certain. */
  let lastKnownMs = options.notBeforeMs;
  let told: Told | undefined;
  let carried: Told | undefined;
  let vouched = false;
  /** The confirmation seen last, and the one that a step has made worthless: by the new clock it may look recent. */
  let seenAtMs: number | undefined;
  let staleAtMs: number | undefined;
  let hasLooked = false;
  let steps = 0;
  /** In the kernel's count; undefined while nobody has set the clock. */
  let steppedMs: number | undefined;

  /** A time service that confirmed the clock before somebody set it has said nothing of the clock as it is now. */
  function isConfirmed(confirmedAtMs: number | undefined): boolean {
    if (confirmedAtMs === undefined || confirmedAtMs === staleAtMs) return false;
    const sinceBootMs = confirmedAtMs - wallBaseMs;
    const after = Math.max(0, steppedMs ?? 0);
    return sinceBootMs >= after - MOMENT_MS && sinceBootMs <= machine.sinceBootMs() + MOMENT_MS;
  }

  function noticeStep(confirmedAtMs: number | undefined): void {
    const nowMs = machine.sinceBootMs();
    const foundMs = machine.wallMs() - nowMs;
    if (Math.abs(foundMs - wallBaseMs) >= STEP_MS) {
      steps += 1;
      steppedMs = lookedMs;
      staleAtMs = seenAtMs;
    }
    seenAtMs = confirmedAtMs;
    wallBaseMs = foundMs;
    lookedMs = nowMs;
  }

  const trusted = (by: Evidence, toMs: number): Next => ({ trust: { state: 'trusted', by }, baseMs: toMs });
  const doubted = (why: Doubt): Next => ({ trust: { state: 'untrusted', why }, baseMs });
  /** The clock of the machine is the finer one wherever it agrees. */
  const finer = ({ baseMs: toMs, errorMs }: Told): number =>
    Math.abs(wallBaseMs - toMs) <= errorMs + MOMENT_MS ? wallBaseMs : toMs;

  function decide({ confirmedAtMs, serviceRuns, batteryMs, meters }: Findings): Next | undefined {
    if (isConfirmed(confirmedAtMs)) return trusted('synchronised', wallBaseMs);
    if (vouched) return trusted('person', wallBaseMs);
    if (told !== undefined && isNews(told)) return trusted('centre', finer(told));
    const doubtMs = machine.sinceBootMs() - doubtedSinceMs;
    if (trust.state === 'untrusted') {
      if (carried !== undefined) return trusted('carried', finer(carried));
      if (meters !== undefined && doubtMs >= WAIT_FOR_METERS_MS) return trusted('meters', finer(meters));
      const mayCome = serviceRuns || (options.hasCentre && doubtMs < WAIT_FOR_CENTRE_MS);
      const agrees = batteryMs !== undefined && Math.abs(batteryMs - machine.wallMs()) <= BATTERY_AGREES_MS;
      return believed({ mayCome, agrees });
    }
    const wasSet = Math.abs(wallBaseMs - baseMs) >= STEP_MS;
    if (trust.by === 'unverified' && wasSet) return doubted('stepped');
    // The counter goes on counting the time that was certain, whatever has become of the clock.
    return wasSet ? undefined : trusted(trust.by, wallBaseMs);
  }

  /** What the centre says changes nothing that is better known, unless it contradicts it. */
  function isNews({ baseMs: toMs, errorMs }: Told): boolean {
    if (trust.state === 'untrusted' || trust.by === 'unverified' || trust.by === 'meters') return true;
    return Math.abs(toMs - baseMs) > errorMs + BATTERY_AGREES_MS;
  }

  /** Without evidence: what can be right. */
  function believed({ mayCome, agrees }: { readonly mayCome: boolean; readonly agrees: boolean }): Next {
    const why: Doubt = steppedWhileTrusted() ? 'stepped' : 'waiting';
    if (strictness === 'evidence') return doubted(why);
    if (why === 'stepped' && Math.abs(wallBaseMs - baseMs) < STEP_MS) return trusted('unverified', wallBaseMs);
    if (machine.wallMs() < lastKnownMs) return doubted(why === 'stepped' ? why : 'behind');
    if (agrees) return trusted('unverified', wallBaseMs);
    if (mayCome && strictness !== 'plausible') return doubted(why);
    const stoodMs = machine.sinceBootMs() - (steppedMs ?? Number.NEGATIVE_INFINITY);
    if (why === 'stepped' && stoodMs < STEP_STANDS_MS) return doubted(why);
    return trusted('unverified', wallBaseMs);
  }

  const steppedWhileTrusted = (): boolean => trust.state === 'untrusted' && trust.why === 'stepped';

  return {
    now: () => epochMs(Math.floor(machine.sinceBootMs() + baseMs)),
    monotonicMs: () => machine.sinceBootMs(),
    sleep: options.sleep,
    get trust() {
      return trust;
    },
    get baseMs() {
      return baseMs;
    },
    get machineAheadMs() {
      return machine.wallMs() - machine.sinceBootMs() - baseMs;
    },
    get steps() {
      return steps;
    },
    begin({ lastRowMs = 0, latestMs = 0, baseMs: carriedMs }) {
      lastKnownMs = Math.max(lastKnownMs, lastRowMs);
      // Later on, another file says nothing of the time that is not known already.
      if (hasLooked) return;
      const nowMs = machine.sinceBootMs();
      wallBaseMs = machine.wallMs() - nowMs;
      if (carriedMs !== undefined) {
        carried = { baseMs: carriedMs, errorMs: STEP_MS };
        if (finer(carried) !== wallBaseMs) steppedMs = nowMs;
      }
      // Until the time is known, what arrives comes at least after what came before.
      baseMs = Math.max(wallBaseMs, lastKnownMs + 1 - nowMs, latestMs + 1 - nowMs);
    },
    tell(given) {
      // A centre whose own clock was never set knows nothing.
      if (given.baseMs + machine.sinceBootMs() >= options.notBeforeMs) told = given;
    },
    vouch() {
      vouched = true;
    },
    look(findings) {
      machine.noticeSleep();
      if (!hasLooked && steppedMs !== undefined) staleAtMs = findings.confirmedAtMs;
      hasLooked = true;
      noticeStep(findings.confirmedAtMs);
      const next = decide(findings);
      if (next === undefined) return undefined;
      const byMs = next.baseMs - baseMs;
      const isSame = sameTrust(next.trust, trust);
      if (isSame && Math.abs(byMs) < STEP_MS) {
        baseMs = next.baseMs;
        return undefined;
      }
      return { ...next, byMs };
    },
    apply(change) {
      const lost = trust.state === 'trusted' && change.trust.state === 'untrusted';
      if (lost) {
        doubtedSinceMs = machine.sinceBootMs();
        lastKnownMs = machine.sinceBootMs() + baseMs;
      }
      trust = change.trust;
      baseMs = change.baseMs;
      vouched = false;
      carried = undefined;
    },
  };
}

interface Next {
  readonly trust: Trust;
  readonly baseMs: number;
}

const sameTrust = (a: Trust, b: Trust): boolean =>
  a.state === 'trusted' ? b.state === 'trusted' && a.by === b.by : b.state === 'untrusted' && a.why === b.why;
