/** MQTT topic filters (MQTT 3.1.1, 4.7): `+` stands for one level, `#` for all that follow and for none. */

/** Without NUL, which the protocol forbids, and with wildcards only as whole levels. */
export function isFilter(text: string): boolean {
  if (text === '' || text.includes('\0')) return false;
  const levels = text.split('/');
  return levels.every((level, at) => {
    if (level === '#') return at === levels.length - 1;
    return level === '+' || !/[+#]/.test(level);
  });
}

export const isTopic = (text: string): boolean => text !== '' && !/[+#\0]/.test(text);

export const levelsOf = (topic: string): number => {
  let levels = 1;
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels += 1;
  return levels;
};

/** A filter, ready to be compared. */
export interface Pattern {
  /** Whether each topic that `filter` (a topic, or a filter) fits is one of this pattern's too. */
  covers(filter: string): boolean;
}

export function createPattern(text: string): Pattern {
  const levels = text.split('/');
  return { covers: (filter) => covers(levels, filter.split('/')) };
}

function covers(pattern: readonly string[], filter: readonly string[]): boolean {
  for (const [at, level] of pattern.entries()) {
    if (level === '#') return true;
    const other = filter[at];
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return filter.length === pattern.length;
}
