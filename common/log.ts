import winston from 'winston';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Ferry logs events, not sentences: a stable dotted name and its fields
 * (`log.info('upgrade.accepted', { cpeid, commandKey })`). Secrets never go into a field.
 */
export interface Logger {
  error(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `text` is `event key=value …` for a person, `json` one object a line for a collector. */
  readonly format: 'text' | 'json';
  /** In every event: which of several processes says it. */
  readonly fields?: LogFields;
  /** Where the lines go; standard error unless told, so that standard output stays a command's own. */
  readonly stream?: NodeJS.WritableStream;
}

/** Longest field value in a text line: a hostile device's manufacturer string must not fill a terminal. */
const FIELD_CHARACTERS_MAX = 300;

function renderField(value: unknown): string {
  const text = typeof value === 'string' ? value : value instanceof Error ? value.message : jsonText(value);
  const cut = text.length > FIELD_CHARACTERS_MAX ? `${text.slice(0, FIELD_CHARACTERS_MAX)}…` : text;
  return /^[\w.:/@%+~-]+$/.test(cut) ? cut : escaped(JSON.stringify(cut));
}

/** A log never throws, whatever it is handed: a bigint or a circle has no JSON. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return String(value);
  }
}

/** What JSON leaves as it is although a terminal obeys it (C1 controls, DEL) or shows it as something else (bidi marks). */
function escaped(json: string): string {
  return json.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

const textFormat = winston.format.printf(({ timestamp, level, message, ...fields }) => {
  const rendered = Object.entries(fields).map(([name, value]) => `${name}=${renderField(value)}`);
  return [timestamp, level.padEnd(5), message, ...rendered].join(' ');
});

/** Builds the logger of one process. */
export function createLogger(options: LogOptions): Logger {
  const logger = winston.createLogger({
    level: options.level,
    format: winston.format.combine(
      winston.format.timestamp(),
      options.format === 'json' ? winston.format.json() : textFormat,
    ),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
  // The fields go in as an object of their own: winston would let a field called `level` or `message` replace its own.
  const always = safeFields(options.fields);
  const threshold = LEVELS.indexOf(options.level);
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) <= threshold)
      logger.log({ ...always, ...safeFields(fields), level, message: event });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

function safeFields(fields: LogFields | undefined): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    safe[name === 'level' || name === 'message' || name === 'timestamp' ? `${name}_` : name] =
      value instanceof Error ? value.message : value;
  }
  return safe;
}

/** A logger that drops everything, for parts that are built without one in tests. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };
