/** Every number with six digits: more would say what the processor rounded. */
export const rounded = <T>(figures: T): T =>
  JSON.parse(JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)));
