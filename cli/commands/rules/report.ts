import type { Options } from 'yargs';
import type { Finding, Severity } from '../../../rules/index.js';
import type { Arguments } from '../../command.js';
import { printable } from '../../io.js';

/** How findings are written. */
export const FORMATS = ['text', 'gcc', 'github'] as const;
export type Format = (typeof FORMATS)[number] | 'json';

/** The options by which a command's findings can be read by others than people. */
export const formatOptions = {
  format: {
    type: 'string',
    choices: FORMATS,
    requiresArg: true,
    describe: 'text for people, gcc for editors, github for annotations of a pull request',
    defaultDescription: 'text',
  },
  json: { type: 'boolean', describe: 'Print the whole report as JSON', conflicts: 'format' },
} as const satisfies Readonly<Record<string, Options>>;

export function formatOf(args: Arguments): Format {
  if (args['json']) return 'json';
  return FORMATS.find((format) => format === args['format']) ?? 'text';
}

/** What is put before people, editors or GitHub: a finding, or a failed test. */
export type Annotation = Pick<Finding, 'severity' | 'code' | 'message' | 'file' | 'line' | 'column'>;

const GITHUB_COMMANDS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  note: 'notice',
};

/** One line that compilers' users, and so all editors, know how to read. */
export function gccLine({ file, line = 1, column = 1, severity, message, code }: Annotation): string {
  return `${oneLine(file)}:${line}:${column}: ${severity}: ${oneLine(message)} [${code}]`;
}

/** A workflow command of GitHub Actions, which shows the message at the line in the pull request. */
export function githubLine({ file, line = 1, column = 1, severity, message, code }: Annotation): string {
  const properties = [
    `file=${githubProperty(file)}`,
    `line=${line}`,
    `col=${column}`,
    `title=${githubProperty(code)}`,
  ];
  return `::${GITHUB_COMMANDS[severity]} ${properties.join(',')}::${githubData(message)}`;
}

function githubData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function githubProperty(text: string): string {
  return githubData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function oneLine(text: string): string {
  return printable(text.replaceAll('\n', ' '));
}

/** By file, each with its place, its weight and its code. */
export function findingsText(findings: readonly Annotation[]): string {
  let text = '';
  let file: string | null = null;
  for (const finding of findings) {
    if (finding.file !== file) text += `${file === null ? '' : '\n'}${oneLine(finding.file)}\n`;
    file = finding.file;
    const place = `${finding.line ?? 1}:${finding.column ?? 1}`;
    text += `  ${place.padEnd(7)} ${finding.severity.padEnd(7)}  ${oneLine(finding.message)}  [${finding.code}]\n`;
  }
  return text;
}

/** `1 rule`, `2 rules`. */
export function amount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
