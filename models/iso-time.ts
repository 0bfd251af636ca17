const DAY = /^\d{4}-\d\d-\d\d/;
const WHOLE_DAY = /^\d{4}-\d\d-\d\d$/;
const ZONE = /(Z|[+-]\d\d:?\d\d)$/;

/** As Date.parse, but NaN where the calendar has no such day: Date.parse takes a 31st of February for the 2nd of March. */
export function isoTime(text: string): number {
  const atMs = Date.parse(text);
  const day = DAY.exec(text)?.[0];
  if (day === undefined || !Number.isFinite(atMs)) return atMs;
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? atMs : Number.NaN;
}

/** A day, or a time of one, with a blank or a T between them. A time without a zone is UTC, whatever machine reads it. */
export function utcTime(text: string): number {
  const time = text.replace(' ', 'T');
  return isoTime(WHOLE_DAY.test(time) || ZONE.test(time) ? time : `${time}Z`);
}
