/** One day of mean powers per step, into which loads are put; what lies outside the day is cut off. */
export class PowerDay {
  readonly watts: Float32Array;
  private readonly stepMinutes: number;

  constructor(stepMinutes: number) {
    this.stepMinutes = stepMinutes;
    this.watts = new Float32Array(1_440 / stepMinutes);
  }

  /** A load from one minute of the day to another, exact in energy whatever the step is. */
  add(fromMinute: number, minutes: number, watts: number): void {
    const { stepMinutes } = this;
    const from = Math.max(fromMinute, 0);
    const to = Math.min(fromMinute + minutes, 1_440);
    if (to <= from) return;
    const first = Math.floor(from / stepMinutes);
    const last = Math.min(Math.ceil(to / stepMinutes), this.watts.length) - 1;
    if (first === last) {
      this.raise(first, (watts * (to - from)) / stepMinutes);
      return;
    }
    this.raise(first, watts * (first + 1 - from / stepMinutes));
    for (let step = first + 1; step < last; step++) this.raise(step, watts);
    this.raise(last, watts * (to / stepMinutes - last));
  }

  private raise(step: number, watts: number): void {
    this.watts[step] = (this.watts[step] ?? 0) + watts;
  }
}
