/** Keeps ratios of small powers finite and unexcited. */
export const RATIO_FLOOR_W = 10;

export const logOf = (watts: number): number => Math.log(Math.max(watts, 0) + RATIO_FLOOR_W);
