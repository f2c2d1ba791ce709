import { ZONED_TIME_PATTERN } from '../../common/index.js';
import type { Deadlines, Retry } from './rule.js';

export const RULE_ID_CHARACTERS_MAX = 256;
export const FILE_CHARACTERS_MAX = 256;
/** FileType, Username and Password of Download are string(64), string(256) and string(256) (TR-069 A.3.2.8). */
export const FILE_TYPE_CHARACTERS_MAX = 64;
export const CREDENTIAL_CHARACTERS_MAX = 256;
/** Stands for a password that is stored: what is shown in its place, and what keeps it where it is written back. */
export const PASSWORD_KEPT = '********';
export const CONDITION_CHARACTERS_MAX = 16 * 1_024;
/** A time with milliseconds and the minutes of its zone has 29. */
const TIME_CHARACTERS_MAX = 32;
export const CONDITION_KEYS_MAX = 64;
export const CONDITION_VALUES_MAX = 10_000;
/** All arrays of one condition in object form together: what one rule may cost the index, and whoever is told apart by it. */
export const CONDITION_VALUES_TOGETHER_MAX = 20_000;
/** All values of one condition in object form together, as JSON. */
export const CONDITION_OBJECT_BYTES_MAX = 1024 * 1024;
/** Three days: a weekend's window, and few enough minutes to look back over. */
export const WINDOW_MINUTES_MAX = 3 * 24 * 60;

export const DEFAULT_RETRY: Retry = { afterMinutes: 60, factor: 2, maxHours: 24 };
export const DEFAULT_DEADLINES: Deadlines = {
  sentMinutes: 10,
  acceptedMinutes: 24 * 60,
  transferredMinutes: 60,
};

const text = (charactersMax: number) => ({ type: 'string', maxLength: charactersMax }) as const;
/** Nothing that a terminal, a log line or an HTTP header would trip over. */
const NOT_PRINTABLE = [
  // Controls (Cc).
  '\\u0000-\\u001f\\u007f-\\u009f',
  // Format characters (Cf) of the first plane, and the separators of lines and paragraphs (Zl, Zp).
  '\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180e\\u200b-\\u200f\\u2028-\\u202e',
  '\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb',
].join('');
/** Written out: `\\p{Cc}` is read by few of those who read the schema. Halves of surrogate pairs come in no JSON that is taken. */
const PRINTABLE = `^[^${NOT_PRINTABLE}]*$`;
/**
 * `1 Firmware Upgrade Image`, or a vendor's by OUI or domain name (TR-069 A.3.2.8). Words behind the first are allowed by the schemas
 * from cwmp-1-2 on, and asked for by some makes.
 */
const FILE_TYPE = '^(?:1 Firmware Upgrade Image(?: [!-~]+)*|X [0-9A-Za-z.-]+ [!-~](?:[ -~]*[!-~])?)$';
const SCALARS = ['string', 'number', 'boolean', 'null'] as const;

const minutes = (defaultMinutes: number, minutesMax: number) =>
  ({
    type: 'number',
    exclusiveMinimum: 0,
    maximum: minutesMax,
    default: defaultMinutes,
    description: `a number of minutes above 0, at most ${minutesMax}; leave it out for ${defaultMinutes}`,
  }) as const;

const time = (what: string) =>
  ({
    type: 'string',
    maxLength: TIME_CHARACTERS_MAX,
    pattern: ZONED_TIME_PATTERN,
    description: `${what}: a date and time with its zone (RFC 3339), such as "2027-03-01T02:00:00+01:00" or "2027-03-01T01:00:00Z"; leave it out for no bound`,
  }) as const;

const limit = (what: string) =>
  ({
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000_000,
    description: `${what}, a whole number of at least 1; leave it out for no limit`,
  }) as const;

/**
 * A rule as its author writes it (JSON Schema, draft 7). Each `description` says what the field should be and the remedy: it is
 * what the author reads when it is something else. What JSON Schema cannot say is checked in `validate.ts`.
 */
export const RULE_SCHEMA = {
  type: 'object',
  required: ['id', 'file', 'condition'],
  additionalProperties: false,
  description: 'an object with at least "id", "file" and "condition"',
  properties: {
    id: {
      ...text(RULE_ID_CHARACTERS_MAX),
      minLength: 1,
      pattern: PRINTABLE,
      description: `a name of 1 to ${RULE_ID_CHARACTERS_MAX} printable characters, such as "UPGRADE_00A1B2-HGW-1"`,
    },
    enabled: {
      type: 'boolean',
      default: true,
      description: 'true or false; a rule that is not enabled is not considered',
    },
    automatic: {
      type: 'boolean',
      default: true,
      description: 'true, or false to consider the rule only in sessions asked for by SendCNR',
    },
    file: {
      ...text(FILE_CHARACTERS_MAX),
      minLength: 1,
      description: `the name of an uploaded image (letters, digits and . _ ~ -), or an absolute http, https, ftp, sftp or tftp URL, without user and password (these are "username" and "password"), of at most ${FILE_CHARACTERS_MAX} characters, also where it is written with %XX`,
    },
    fileType: {
      ...text(FILE_TYPE_CHARACTERS_MAX),
      pattern: FILE_TYPE,
      description: `what the CPE is told of the file (FileType): "1 Firmware Upgrade Image", with or without a vendor's words behind it, or a vendor's own "X <OUI> <name>", at most ${FILE_TYPE_CHARACTERS_MAX} characters of ASCII; leave it out for the type of the image, else "1 Firmware Upgrade Image"`,
    },
    username: {
      ...text(CREDENTIAL_CHARACTERS_MAX),
      minLength: 1,
      pattern: PRINTABLE,
      description: `the user name for the server of a "file" by URL, 1 to ${CREDENTIAL_CHARACTERS_MAX} printable characters, for http and https without a colon`,
    },
    password: {
      ...text(CREDENTIAL_CHARACTERS_MAX),
      minLength: 1,
      pattern: PRINTABLE,
      description: `the password that goes with "username", 1 to ${CREDENTIAL_CHARACTERS_MAX} printable characters; it is stored sealed and shown as "${PASSWORD_KEPT}", which keeps the one that is stored`,
    },
    condition: {
      type: ['string', 'object'],
      minLength: 1,
      maxLength: CONDITION_CHARACTERS_MAX,
      minProperties: 1,
      maxProperties: CONDITION_KEYS_MAX,
      propertyNames: {
        minLength: 1,
        maxLength: 256,
        pattern: '^[^`\\u0000-\\u001f.]+(?:\\.[^`\\u0000-\\u001f.]+)*$',
        description: 'a field path such as "softwareVersion" or "parameters.Device.IP.Interface.1.Status"',
      },
      additionalProperties: {
        type: [...SCALARS, 'array'],
        maxLength: 1_024,
        minItems: 1,
        maxItems: CONDITION_VALUES_MAX,
        items: {
          type: SCALARS,
          maxLength: 1_024,
          description: 'a string of at most 1024 characters, a number, true, false or null',
        },
        description: `a string of at most 1024 characters, a number, true, false, null, or an array of 1 to ${CONDITION_VALUES_MAX} of these`,
      },
      description: `a JSONata string of at most ${CONDITION_CHARACTERS_MAX} characters, or an object of 1 to ${CONDITION_KEYS_MAX} fields with the values wanted, such as {"cpeid": "00A1B2-HGW-1"}`,
    },
    executions: {
      type: 'integer',
      minimum: -1,
      maximum: 1_000_000,
      default: 1,
      description: 'how many upgrades may start on one CPE: a whole number, -1 for any number, 0 for none',
    },
    priority: {
      type: 'integer',
      minimum: -1_000_000,
      maximum: 1_000_000,
      // The documents of the API show 1; a rule that leaves it out stands level with one copied from there.
      default: 1,
      description: 'a whole number from -1000000 to 1000000; the larger runs first',
    },
    author: {
      ...text(256),
      pattern: PRINTABLE,
      description:
        'who wrote the rule, at most 256 printable characters; leave it out to be named by your login',
    },
    description: { ...text(4_096), default: '', description: 'a text of at most 4096 characters' },
    target: {
      type: 'object',
      required: ['softwareVersion'],
      additionalProperties: false,
      properties: {
        softwareVersion: {
          ...text(256),
          minLength: 1,
          description: 'the SoftwareVersion a CPE reports after the upgrade, 1 to 256 characters',
        },
      },
      description:
        'an object such as {"softwareVersion": "2.0.0"}; leave it out to use the version of the image',
    },
    force: {
      type: 'boolean',
      description: 'true to download also to CPEs that are at the target version already, or false',
    },
    window: {
      type: 'object',
      required: ['cron', 'durationMinutes'],
      additionalProperties: false,
      properties: {
        cron: {
          ...text(128),
          minLength: 1,
          description:
            'when the window opens, five cron fields (minute hour day month weekday) such as "0 2 * * *"',
        },
        durationMinutes: {
          type: 'number',
          minimum: 1,
          maximum: WINDOW_MINUTES_MAX,
          description: `how many minutes the window stays open, 1 to ${WINDOW_MINUTES_MAX}`,
        },
        timezone: {
          ...text(64),
          minLength: 1,
          default: 'UTC',
          description: 'an IANA time zone such as "Europe/Berlin"; leave it out for UTC',
        },
        wakePerSecond: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 10_000,
          description: 'how many CPEs a second are called into the window, above 0 and at most 10000',
        },
      },
      description:
        'an object such as {"cron": "0 2 * * *", "durationMinutes": 120, "timezone": "Europe/Berlin"}',
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      properties: {
        concurrent: limit('most upgrades of this rule under way at a time'),
        total: limit('most upgrades this rule may start'),
        stopAfterFailures: limit('how many failed upgrades stop the rule'),
      },
      description: 'an object with "concurrent", "total" or "stopAfterFailures"',
    },
    retry: {
      type: 'object',
      additionalProperties: false,
      properties: {
        afterMinutes: minutes(DEFAULT_RETRY.afterMinutes, 525_600),
        factor: {
          type: 'number',
          minimum: 1,
          maximum: 100,
          default: DEFAULT_RETRY.factor,
          description: `what each further wait is multiplied by, 1 to 100; leave it out for ${DEFAULT_RETRY.factor}`,
        },
        maxHours: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 8_760,
          default: DEFAULT_RETRY.maxHours,
          description: `the longest wait in hours, above 0 and at most 8760; leave it out for ${DEFAULT_RETRY.maxHours}`,
        },
      },
      description: 'an object such as {"afterMinutes": 60, "factor": 2, "maxHours": 24}',
    },
    deadlines: {
      type: 'object',
      additionalProperties: false,
      properties: {
        sentMinutes: minutes(DEFAULT_DEADLINES.sentMinutes, 525_600),
        acceptedMinutes: minutes(DEFAULT_DEADLINES.acceptedMinutes, 525_600),
        transferredMinutes: minutes(DEFAULT_DEADLINES.transferredMinutes, 525_600),
      },
      description: 'an object such as {"sentMinutes": 10, "acceptedMinutes": 1440, "transferredMinutes": 60}',
    },
    onDoubt: {
      type: 'string',
      enum: ['resend', 'fail'],
      description:
        '"resend" to send a Download once more where it is not known to have reached the CPE and the CPE does not have it queued, or "fail"; leave it out for "resend"',
    },
    notBefore: time('from when on the rule may run'),
    notAfter: time('from when on it runs no more, which is after "notBefore"; what was sent before goes on'),
    requireSignature: {
      type: 'boolean',
      description:
        'true to send only an image that is signed by a key that holds (ferry image key), or false; leave it out for what the option require-signature says',
    },
  },
} as const;
