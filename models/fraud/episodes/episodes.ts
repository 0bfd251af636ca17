/** Anomalous days of one meter joined into something that a person can visit. Days count from wherever the scores begin. */
export interface DayEpisode {
  /** The first of the days that it was opened for. */
  readonly firstDay: number;
  /** When it was known. */
  readonly openedDay: number;
  /** The last day at or above the threshold so far. */
  readonly lastDay: number;
  /** When it was over; undefined while it goes on. */
  readonly closedDay?: number;
  readonly highest: number;
  /** Mean score from its first to its last day, unknown days left out. */
  readonly mean: number;
}

export interface EpisodeRule {
  readonly threshold: number;
  /** It opens when so many of the last days reach the threshold. */
  readonly opens: { readonly days: number; readonly of: number };
  /** It closes after so many days in a row below it; days without a score neither close nor open. */
  readonly closesAfter: number;
}

/** `ruleOn` a day. Causal: what a day adds never changes what was known before. */
export function episodesOf(scores: ArrayLike<number>, ruleOn: (day: number) => EpisodeRule): DayEpisode[] {
  const episodes: DayEpisode[] = [];
  let open: { first: number; opened: number; last: number } | undefined;
  let below = 0;
  let recent: { day: number; high: boolean }[] = [];
  const close = (closedDay?: number): void => {
    if (open === undefined) return;
    const { first, opened, last } = open;
    const known = Array.from({ length: last - first + 1 }, (_, at) => scores[first + at] as number).filter(
      Number.isFinite,
    );
    episodes.push({
      firstDay: first,
      openedDay: opened,
      lastDay: last,
      ...(closedDay === undefined ? {} : { closedDay }),
      highest: Math.max(...known),
      mean: known.reduce((sum, score) => sum + score, 0) / known.length,
    });
    open = undefined;
    recent = [];
  };
  for (let day = 0; day < scores.length; day++) {
    const score = scores[day] as number;
    if (Number.isNaN(score)) continue;
    const { threshold, opens, closesAfter } = ruleOn(day);
    const high = score >= threshold;
    if (open !== undefined) {
      below = high ? 0 : below + 1;
      if (high) open.last = day;
      if (below >= closesAfter) close(day);
      continue;
    }
    recent.push({ day, high });
    const days = recent.slice(-opens.of).filter((one) => one.high);
    if (high && days.length >= opens.days) {
      open = { first: days[0]?.day ?? day, opened: day, last: day };
      below = 0;
    }
  }
  close();
  return episodes;
}
