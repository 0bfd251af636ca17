/**
 * What is done when the disk fills up, in this order; each step holds while the ones before it do not suffice.
 * `ample`: nothing. `ballast`: the file that was kept for this is deleted. `dropping`: readings that the centre has are
 * deleted. `thinning`: readings are deleted that live on in their stored slots. `refusing`: no more are taken in.
 */
export const DISK_STEPS = ['ample', 'ballast', 'dropping', 'thinning', 'refusing'] as const;
export type DiskStep = (typeof DISK_STEPS)[number];

/** How the buffer stands with its disk. */
export interface DiskState {
  readonly step: DiskStep;
  readonly sinceMs: number;
  /** What can be written before the disk, or the bound of the file, is full; null until the first look. */
  readonly usableBytes: number | null;
  readonly ballastBytes: number;
  readonly walBytes: number;
  /** Since the start of the gateway. */
  readonly dropped: number;
  readonly thinned: number;
}

/** What the buffer's own file can still take. */
export interface FileRoom {
  /** Pages inside the file that hold nothing. */
  readonly reusableBytes: number;
  /** How far the file may grow by its own bound. */
  readonly growthBytes: number;
  /** What the next checkpoint lengthens the file by: on a disk without room for that, the WAL could never be let go of. */
  readonly pendingBytes: number;
  readonly walBytes: number;
}

/** Why something is written to the disk. `checkpoints` move what the others wrote from the log of writes into the file. */
export const WRITE_CAUSES = [
  'readings',
  'slots',
  'analysis',
  'settled',
  'maintenance',
  'checkpoints',
  'other',
] as const;
export type WriteCause = (typeof WRITE_CAUSES)[number];
export type WrittenBytes = Readonly<Record<WriteCause, number>>;

/** What the present rates make of the room and of the card; null while there is too little to tell from. */
export interface DiskFigures {
  /** What the log, slots and results grow by in a day. */
  readonly growthPerDay: number | null;
  /** How long usable room, and what may be dropped, last at that. */
  readonly autonomyDays: number | null;
  readonly writtenLastDay: number;
  readonly writtenPerDay: number | null;
  readonly cardLifeDays: number | null;
  readonly commitWindowMs: number;
}
