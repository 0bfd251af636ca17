import { z } from 'zod';
import {
  mappingFaults,
  SHIPPED_FEEDS,
  TARGETS,
  type Target,
  TIME_FORMATS,
  UNITS,
  type Unit,
} from '../agent/domain/feed-mapping.js';
import { FLAGS, METER_FLAGS } from '../agent/domain/flags.js';
import { EACH_RULE, JSON_PATH_RULE, parseEach, parseJsonPath } from '../agent/domain/json-path.js';
import { NAME_TEMPLATE_RULE, parseNameTemplate } from '../agent/domain/name-template.js';
import { parseTimeZone, TIME_ZONE_RULE } from '../agent/domain/time-zone.js';
import { parseTopicPattern, TOPIC_PATTERN_RULE } from '../agent/domain/topic-pattern.js';

/** Text that `parse` understands. */
const parsed = (parse: (text: string) => unknown, rule: string) =>
  z
    .string()
    .refine((text) => parse(text) !== undefined, rule)
    .meta({ rule });

const jsonPath = parsed(parseJsonPath, JSON_PATH_RULE);
const topic = parsed(parseTopicPattern, TOPIC_PATTERN_RULE);
const zone = parsed(parseTimeZone, TIME_ZONE_RULE);
const word = z.string().min(1).max(64);

/** Alternatives and summands of one value, and values of one mapping: more than any device has. */
const FEW = 8;
const SOME = 32;

const PATHS_RULE = `${JSON_PATH_RULE}, or a list of up to ${FEW} of them`;
const paths = z.union([jsonPath, z.array(jsonPath).min(1).max(FEW)], PATHS_RULE).meta({ rule: PATHS_RULE });
const FORMAT_RULE = `one or a list of ${TIME_FORMATS.join(', ')}`;
const timeFormat = z
  .union([z.enum(TIME_FORMATS), z.array(z.enum(TIME_FORMATS)).min(1).max(TIME_FORMATS.length)], FORMAT_RULE)
  .meta({ rule: FORMAT_RULE });

const value = z.strictObject({
  as: z.enum(Object.keys(TARGETS) as Target[]).describe('What it is; `_delta_` is energy since the message before.'),
  path: paths.describe('Where it stands; of several the first that is there counts.'),
  plus: z.array(jsonPath).max(FEW).optional().describe('Added to it; while one is missing, so is the value.'),
  minus: z.array(jsonPath).max(FEW).optional().describe('Subtracted from it, those that are there.'),
  unit: z.enum(Object.values(UNITS).flatMap((units) => Object.keys(units)) as Unit[]).describe('Unit it comes in.'),
  scale: z
    .number()
    .refine((factor) => factor !== 0, 'a number other than 0')
    .meta({ rule: 'a number other than 0' })
    .optional()
    .describe('Factor besides that of the unit: -1 turns the direction.'),
});

const flag = z.strictObject({
  flag: z
    .enum(METER_FLAGS)
    .describe(`What the meter says of itself. ${METER_FLAGS.map((name) => `${name}: ${FLAGS[name].about}`).join(' ')}`),
  path: jsonPath.describe('Where it says so: true, a number other than 0, or as the other keys demand.'),
  bit: z.int().min(0).max(52).optional().describe('Raised when this bit of the number is set.'),
  contains: z
    .array(word)
    .min(1)
    .max(SOME)
    .optional()
    .describe('Raised when the text, or one of a list, contains one of these; upper or lower case is one.'),
});

const mapping = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, '1-40 characters of a-z 0-9 -, beginning with a letter')
      .refine((text) => !(SHIPPED_FEEDS as readonly string[]).includes(text), `none of ${SHIPPED_FEEDS.join(', ')}`)
      .meta({ rule: '1-40 characters of a-z 0-9 -, beginning with a letter, and not the name of a shipped feed' })
      .describe('Name of this mapping.'),
    topics: z.array(topic).min(1).max(SOME).describe('Where it is published.'),
    except: z.array(topic).max(SOME).optional().describe('Topics among them that carry no readings.'),
    meter: parsed(parseNameTemplate, NAME_TEMPLATE_RULE).describe('How the name of the meter is made.'),
    each: parsed(parseEach, EACH_RULE)
      .optional()
      .describe('Every member of this object or list that holds a value is a meter; paths then begin in it.'),
    first_channel: z
      .int()
      .min(0)
      .max(1)
      .optional()
      .describe('Number of the first channel where values are lists; 0 when not set.'),
    only_if: z
      .array(
        z.strictObject({
          path: jsonPath.describe('Where it stands.'),
          is: z.array(z.string().max(256)).min(1).max(SOME).describe('Texts of which it must be one.'),
        }),
      )
      .max(FEW)
      .optional()
      .describe('What a payload must say to be taken; others are passed over.'),
    values: z.array(value).min(1).max(SOME).describe('What is taken from it.'),
    time: z
      .strictObject({
        path: paths.describe('Where it stands; of several the first that is there counts.'),
        format: timeFormat.describe('How it is written; of several the first that fits counts.'),
        zone: zone.optional().describe('Zone of a time without an offset; `feeds.time_zone` when not set.'),
      })
      .optional()
      .describe('The time of the meter itself; without it that of arrival counts.'),
    register_max_wh: z.number().positive().optional().describe('Where the registers begin again at 0.'),
    flags: z.array(flag).max(SOME).optional().describe('What the meter says of itself.'),
  })
  .superRefine((entry, context) => {
    for (const { path, rule } of mappingFaults(entry)) {
      context.addIssue({ code: 'custom', path: [...path], message: rule });
    }
  });

export const feeds = z.strictObject({
  enabled: z
    .array(z.enum(SHIPPED_FEEDS))
    .max(SHIPPED_FEEDS.length)
    .meta({ rule: `a list of ${SHIPPED_FEEDS.join(', ')}` })
    .default(['native'])
    .describe('Shipped feeds that are taken; docs/feeds.md says what each one is.'),
  time_zone: zone
    .optional()
    .describe(
      'Zone of the times that come without an offset, and of the hour kept with an anomaly; that of this machine when not set.',
    ),
  custom: z
    .array(mapping)
    .max(SOME)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a list that names each mapping once')
    .default([])
    .describe('Mappings of your own, tried before the shipped feeds; docs/feeds.md shows how to write one.'),
});
