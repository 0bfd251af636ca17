import { z } from 'zod';

export const BUNDLE_FORMAT = 2;
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.sig';

/** A name and nothing else: no directory, no hidden file. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'a plain file name');
/** Also the name of a directory and of a row at the centre. */
export const BUNDLE_VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** A bundle crosses a cellular link and stands on an SD card several times. */
export const MAX_BUNDLE_BYTES = 8 * 1024 * 1024;
export const MAX_MANIFEST_BYTES = 64 * 1024;
const MAX_FILES = 32;

const figure = z.number().finite();
/** Null where no meter of the test has it: what it would be divided by is nothing. */
const ratio = figure.nullable();
const scores = z.strictObject({
  mae: figure.nonnegative(),
  rmse: figure.nonnegative(),
  mase: ratio,
  mase_vs_seasonal: ratio,
  pinball: figure.nonnegative(),
  coverage90: figure.min(0).max(1).optional(),
  r2: ratio,
});

const aggregateScores = z.strictObject({
  mae: figure.nonnegative(),
  rmse: figure.nonnegative(),
  mape: figure.nonnegative().optional(),
  r2: ratio,
});

const evaluation = z.strictObject({
  /** What the figures were measured on. */
  split: z.string().max(500),
  meters: z.int().nonnegative(),
  forecasts: z.int().nonnegative(),
  /** By group of horizons and by method, `model` among them: means over meters of per-meter figures, in watts. */
  horizons: z.record(z.string().max(32), z.record(z.string().max(32), scores)),
  /** The same of the sum of all meters. */
  aggregate: z.record(z.string().max(32), z.record(z.string().max(32), aggregateScores)).optional(),
});

const epochLoss = z.strictObject({ training: figure, validation: figure });
const training = z.strictObject({
  seed: z.int(),
  backend: z.string().max(32),
  /** Mean pinball loss after each epoch. */
  curve: z.array(epochLoss).min(1).max(1_000).readonly(),
  /** The first is 1; 0 = none was better than the linear start. */
  bestEpoch: z.int().min(0),
});

const horizon = z.strictObject({ offset: z.int().min(0).max(10_000), slots: z.int().min(1).max(10_000) });

export const manifestSchema = z
  .strictObject({
    format: z.literal(BUNDLE_FORMAT),
    version: z.string().regex(BUNDLE_VERSION),
    createdAt: z.iso.datetime(),
    featureVersion: z.int().positive(),
    slotMinutes: z.int().positive(),
    windowSlots: z.int().positive(),
    horizons: z.array(horizon).min(1).max(1_000),
    quantiles: z.array(z.number().min(0).max(1)).min(1).max(99),
    parameters: z.int().positive(),
    forecast: z.strictObject({ int8: fileName, float32: fileName }),
    fraud: z.strictObject({ file: fileName, threshold: z.number().min(0).max(1) }),
    calibration: fileName,
    golden: fileName,
    files: z.record(
      fileName,
      z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative() }),
    ),
    trainedOn: z.string().min(1).max(2_000),
    licence: z.string().min(1).max(2_000),
    attribution: z.string().max(2_000),
    evaluation,
    /** Missing where the network was not trained here. */
    training: training.optional(),
  })
  // What a golden output cannot tell: a step that hardly differs from its neighbour.
  .refine(
    ({ horizons }) => new Set(horizons.map(({ offset, slots }) => `${offset} ${slots}`)).size === horizons.length,
    {
      error: 'no span twice',
      path: ['horizons'],
    },
  )
  .refine((manifest) => Object.keys(manifest.files).length <= MAX_FILES, `at most ${MAX_FILES} files`)
  .refine(
    ({ files, forecast, fraud, calibration, golden }) =>
      [forecast.int8, forecast.float32, fraud.file, calibration, golden].every((name) => Object.hasOwn(files, name)),
    'every file that is named must be listed in files',
  );

export type Manifest = z.infer<typeof manifestSchema>;
export type Evaluation = z.infer<typeof evaluation>;
