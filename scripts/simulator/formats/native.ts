import type { Format } from './format.js';

export const native: Format = {
  name: 'native',
  hasTime: true,
  meterName: ({ id }) => id,
  encode: ({ id }, { reading }) => [{ topic: `meters/${id}/reading`, payload: JSON.stringify(reading) }],
};
