import { wander } from './random-stream.js';

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365.2425;

/** What the sky does to loads, as functions of time alone. Times are UTC and taken for local. */
export interface Weather {
  temperatureC(atMs: number): number;
  /** Share of a panel's peak that the sun gives, 0..1, clouds taken off. */
  sunshine(atMs: number): number;
  /** Whether lamps are wanted, 0..1: dusk is in between. */
  darkness(atMs: number): number;
}

/** A temperate climate: cold in January, fronts of some days, clouds of some hours. The default latitude is London's. */
export function createWeather(seed: number, latitude = 51.5): Weather {
  const tilt = Math.sin((latitude * Math.PI) / 180);
  const flat = Math.cos((latitude * Math.PI) / 180);

  function sunHeight(atMs: number): number {
    const declination = -0.409 * Math.cos(2 * Math.PI * yearPart(atMs, -10));
    const hourAngle = 2 * Math.PI * (((atMs % DAY_MS) + DAY_MS) / DAY_MS - 0.5);
    return tilt * Math.sin(declination) + flat * Math.cos(declination) * Math.cos(hourAngle);
  }

  return {
    temperatureC(atMs) {
      const season = -7 * Math.cos(2 * Math.PI * yearPart(atMs, 25));
      const hour = -3 * Math.cos((2 * Math.PI * (atMs - 3 * 3_600_000)) / DAY_MS);
      return 11 + season + hour + 5 * wander(seed, atMs / (4 * DAY_MS));
    },
    sunshine(atMs) {
      const height = sunHeight(atMs);
      if (height <= 0) return 0;
      const cover = 0.5 + 0.6 * wander(seed + 1, atMs / (2 * DAY_MS)) + 0.35 * wander(seed + 2, atMs / 1_200_000);
      return height ** 1.15 * (1 - 0.85 * Math.min(Math.max(cover, 0), 1));
    },
    darkness: (atMs) => Math.min(Math.max(0.6 - 4 * sunHeight(atMs), 0), 1),
  };
}

/** How far the year has come; 0 when `shiftDays` after New Year. */
const yearPart = (atMs: number, shiftDays: number): number => (atMs / DAY_MS - shiftDays) / YEAR_DAYS;
