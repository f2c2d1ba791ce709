import winston from 'winston';
import { jsonLine, type PlainFields, plainFields, textLine } from './log-line.js';

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

/** Builds the logger of one process. */
export function createLogger(options: LogOptions): Logger {
  const line = options.format === 'json' ? jsonLine : textLine;
  const logger = winston.createLogger({
    level: options.level,
    // A line is whole before winston has it, which would let a field called `level` or `message` replace its own.
    format: winston.format.printf(({ message }) => String(message)),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
  const always = ownFields(options.fields);
  const threshold = LEVELS.indexOf(options.level);
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) > threshold) return;
    const head = { timestamp: new Date().toISOString(), level, message: event };
    logger.log({ level, message: line(head, { ...always, ...ownFields(fields) }) });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** None takes the place of what every line has. */
function ownFields(fields: LogFields | undefined): PlainFields {
  if (fields === undefined) return {};
  const plain = plainFields(fields);
  if (!('level' in plain || 'message' in plain || 'timestamp' in plain)) return plain;
  return Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [HEAD_NAMES.has(name) ? `${name}_` : name, value]),
  );
}

const HEAD_NAMES: ReadonlySet<string> = new Set(['level', 'message', 'timestamp']);

/** A logger that drops everything, for parts that are built without one in tests. */
export const silentLogger: Logger = { error() {}, warn() {}, info() {}, debug() {} };
