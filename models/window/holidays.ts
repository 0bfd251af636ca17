const DAY_MS = 86_400_000;

/** A day that comes back each year. */
type Rule =
  | { readonly kind: 'fixed'; readonly month: number; readonly day: number }
  /** Days from Easter Sunday. */
  | { readonly kind: 'easter'; readonly days: number }
  /** The n-th of a weekday in a month, 0 = Monday; from the end when n is negative. */
  | { readonly kind: 'nth'; readonly month: number; readonly weekday: number; readonly n: number };

const on = (month: number, day: number): Rule => ({ kind: 'fixed', month, day });
const easter = (days: number): Rule => ({ kind: 'easter', days });
const nth = (n: number, weekday: number, month: number): Rule => ({ kind: 'nth', month, weekday, n });

const MONDAY = 0;
const THURSDAY = 3;
const NEW_YEAR = on(1, 1);
const LABOUR_DAY = on(5, 1);
const ALL_SAINTS = on(11, 1);
const CHRISTMAS = on(12, 25);
const SECOND_CHRISTMAS_DAY = on(12, 26);
const GOOD_FRIDAY = easter(-2);
const EASTER_MONDAY = easter(1);
const ASCENSION = easter(39);
const WHIT_MONDAY = easter(50);

/** Days on which a whole country rests. What one state keeps alone, or the moon decides, is not in here. */
const COUNTRIES: Readonly<Record<string, readonly Rule[]>> = {
  AT: [
    NEW_YEAR,
    on(1, 6),
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    easter(60),
    on(8, 15),
    on(10, 26),
    ALL_SAINTS,
    on(12, 8),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
  BE: [
    NEW_YEAR,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    on(7, 21),
    on(8, 15),
    ALL_SAINTS,
    on(11, 11),
    CHRISTMAS,
  ],
  BR: [NEW_YEAR, GOOD_FRIDAY, on(4, 21), LABOUR_DAY, on(9, 7), on(10, 12), on(11, 2), on(11, 15), CHRISTMAS],
  CH: [NEW_YEAR, ASCENSION, on(8, 1), CHRISTMAS],
  DE: [
    NEW_YEAR,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    on(10, 3),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
  ES: [NEW_YEAR, on(1, 6), GOOD_FRIDAY, LABOUR_DAY, on(8, 15), on(10, 12), ALL_SAINTS, on(12, 6), on(12, 8), CHRISTMAS],
  FR: [
    NEW_YEAR,
    EASTER_MONDAY,
    LABOUR_DAY,
    on(5, 8),
    ASCENSION,
    WHIT_MONDAY,
    on(7, 14),
    on(8, 15),
    ALL_SAINTS,
    on(11, 11),
    CHRISTMAS,
  ],
  GB: [
    NEW_YEAR,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    nth(1, MONDAY, 5),
    nth(-1, MONDAY, 5),
    nth(-1, MONDAY, 8),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
  IN: [on(1, 26), on(8, 15), on(10, 2)],
  IT: [
    NEW_YEAR,
    on(1, 6),
    EASTER_MONDAY,
    on(4, 25),
    LABOUR_DAY,
    on(6, 2),
    on(8, 15),
    ALL_SAINTS,
    on(12, 8),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
  MA: [NEW_YEAR, on(1, 11), LABOUR_DAY, on(7, 30), on(8, 14), on(8, 20), on(8, 21), on(11, 6), on(11, 18)],
  NL: [NEW_YEAR, EASTER_MONDAY, on(4, 27), ASCENSION, WHIT_MONDAY, CHRISTMAS, SECOND_CHRISTMAS_DAY],
  PL: [
    NEW_YEAR,
    on(1, 6),
    EASTER_MONDAY,
    LABOUR_DAY,
    on(5, 3),
    easter(60),
    on(8, 15),
    ALL_SAINTS,
    on(11, 11),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
  PT: [
    NEW_YEAR,
    GOOD_FRIDAY,
    on(4, 25),
    LABOUR_DAY,
    easter(60),
    on(6, 10),
    on(8, 15),
    on(10, 5),
    ALL_SAINTS,
    on(12, 1),
    on(12, 8),
    CHRISTMAS,
  ],
  US: [
    NEW_YEAR,
    nth(3, MONDAY, 1),
    nth(3, MONDAY, 2),
    nth(-1, MONDAY, 5),
    on(6, 19),
    on(7, 4),
    nth(1, MONDAY, 9),
    on(11, 11),
    nth(4, THURSDAY, 11),
    CHRISTMAS,
  ],
  ZA: [
    NEW_YEAR,
    on(3, 21),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    on(4, 27),
    LABOUR_DAY,
    on(6, 16),
    on(8, 9),
    on(9, 24),
    on(12, 16),
    CHRISTMAS,
    SECOND_CHRISTMAS_DAY,
  ],
};

export const HOLIDAY_COUNTRIES: readonly string[] = Object.keys(COUNTRIES);

/** Enough for a gateway's life; a country's year takes a few dozen bytes. */
const years = new Map<string, ReadonlySet<number>>();

/** `day` counts local days since 1970. */
export function isHoliday(day: number, country: string | undefined): boolean {
  if (country === undefined) return false;
  const rules = COUNTRIES[country];
  if (rules === undefined) return false;
  const year = new Date(day * DAY_MS).getUTCFullYear();
  const key = `${country}${year}`;
  let days = years.get(key);
  if (days === undefined) {
    days = new Set(rules.map((rule) => dayOf(rule, year)));
    if (years.size > 1_000) years.clear();
    years.set(key, days);
  }
  return days.has(day);
}

function dayOf(rule: Rule, year: number): number {
  switch (rule.kind) {
    case 'fixed':
      return daysSince1970(year, rule.month, rule.day);
    case 'easter':
      return easterSunday(year) + rule.days;
    case 'nth': {
      const { month, weekday, n } = rule;
      if (n > 0) {
        const first = daysSince1970(year, month, 1);
        return first + ((weekday - weekdayOf(first) + 7) % 7) + (n - 1) * 7;
      }
      const last = daysSince1970(year, month + 1, 0);
      return last - ((weekdayOf(last) - weekday + 7) % 7) + (n + 1) * 7;
    }
  }
}

const daysSince1970 = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day) / DAY_MS;

const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

/** The Gregorian computus in the form of Meeus, Jones and Butcher. */
function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return daysSince1970(year, month, day);
}
