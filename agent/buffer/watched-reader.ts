import { damageOf } from './damage.js';
import { type BufferReader, openReader } from './reader.js';

/** Whoever reads a damaged page first says so: the writer may not come by it for days. */
export type OnDamage = (cause: string, logId: string) => void;

export function openWatchedReader(path: string, onDamage: OnDamage): BufferReader {
  const reader = openReader(path);
  return new Proxy(reader, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        try {
          return Reflect.apply(value, target, given);
        } catch (error) {
          const damage = damageOf(error);
          if (damage !== undefined) onDamage(damage, target.logId);
          throw error;
        }
      };
    },
  });
}
