import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { exists } from '../../../common/index.js';
import { isBoardParameter, RULE_FILES_MAX, TEST_FILE_SUFFIX } from '../../../rules/index.js';
import { type Arguments, CommandError } from '../../command.js';
import { type Io, printable } from '../../io.js';
import { OPTIONS } from '../../options.js';
import { pathsOf } from './check.js';
import { stoppedText } from './explanation-text.js';
import {
  type Annotation,
  amount,
  type Format,
  findingsText,
  formatOf,
  formatOptions,
  gccLine,
  githubLine,
} from './report.js';
import { isDirectory, readNamed, readSource, type TestedFile, testedFile } from './sources.js';
import { runTests, type TestGroup, type TestResult } from './tested-rules.js';

export function testCommand(io: Io): CommandModule {
  return {
    command: 'test <paths..>',
    describe: 'Run the tests beside rule files (NAME.test.json), without a server',
    builder: (argv) =>
      argv
        .positional('paths', { type: 'string', array: true, describe: 'Directories of rule files, or files' })
        .option('alone', {
          type: 'boolean',
          describe: 'Only the rules of NAME.json decide, not all of its directory',
        })
        .option('board-parameter', {
          type: 'string',
          requiresArg: true,
          describe: 'Parameter by which CPEs tell their board, as the server is told of it',
        })
        .option('quiet', { type: 'boolean', describe: 'Print failed tests only, and no summary' })
        .options(formatOptions)
        .example('$0 rules test rules.d', 'All tests of a directory')
        .example('$0 rules test rules.d/hgw.json', 'Those of hgw.test.json, with all rules of rules.d')
        .epilogue('Exit code 0: all passed; 1: some failed, or a file is broken; 2: wrong usage.'),
    handler: (args: Arguments) => test(args, io),
  };
}

async function test(args: Arguments, io: Io): Promise<void> {
  const boardParameter = String(args['boardParameter'] ?? '');
  if (boardParameter !== '' && !isBoardParameter(boardParameter))
    throw new CommandError(`--board-parameter must be ${OPTIONS.boardParameter.expected}.`, 2);
  const files = await testedFiles(pathsOf(args));
  const results: TestResult[] = [];
  const broken: Annotation[] = [];
  for (const group of await groupsOf(files, args['alone'] === true)) {
    const outcome = await runTests(group, boardParameter);
    if (outcome.kind === 'run') results.push(...outcome.results);
    else broken.push(...outcome.findings);
  }
  write(args, io, results, broken);
  const failed = results.filter(({ passed }) => !passed).length;
  const summary = `${results.length - failed} passed, ${failed} failed`;
  if (broken.length > 0) {
    throw new CommandError(
      `${amount(broken.length, 'error')}; the tests of these rules were not run (${summary})`,
    );
  }
  if (failed > 0) throw new CommandError(summary);
  if (!args['quiet']) io.stderr.write(`${summary}\n`);
}

/** @throws CommandError where a directory has no tests, or a file none beside it */
async function testedFiles(paths: readonly string[]): Promise<readonly TestedFile[]> {
  const found = new Map<string, TestedFile>();
  const add = (path: string): void => {
    const file = testedFile(path);
    found.set(file.testFile, file);
  };
  for (const path of paths) {
    if (!(await isDirectory(path))) {
      add(path);
      continue;
    }
    const names = (await readdir(path)).filter(
      (name) => name.endsWith(TEST_FILE_SUFFIX) && !name.startsWith('.'),
    );
    if (names.length === 0) throw new CommandError(`There are no tests (*${TEST_FILE_SUFFIX}) in ${path}.`);
    if (names.length > RULE_FILES_MAX)
      throw new CommandError(`There are more than ${RULE_FILES_MAX} tests in ${path}.`);
    for (const name of names.sort()) add(join(path, name));
  }
  const files = [...found.values()];
  for (const { ruleFile, testFile } of files) {
    if (!(await exists(testFile)))
      throw new CommandError(`There are no tests for ${ruleFile}: write ${testFile}.`);
    if (!(await exists(ruleFile)))
      throw new CommandError(`${testFile} tests ${ruleFile}, which is not there.`);
  }
  return files;
}

/** By default all rules of a directory decide, as they do on the server: a rule that wins alone may lose there. */
async function groupsOf(files: readonly TestedFile[], alone: boolean): Promise<readonly TestGroup[]> {
  if (alone) {
    return Promise.all(
      files.map(async ({ ruleFile, testFile }) => ({
        ruleFiles: [{ name: ruleFile, bytes: await readNamed(ruleFile) }],
        testFiles: [testFile],
      })),
    );
  }
  const groups: TestGroup[] = [];
  for (const directory of new Set(files.map((file) => file.directory))) {
    const { files: ruleFiles } = await readSource(directory);
    const here = files.filter((file) => file.directory === directory);
    groups.push({ ruleFiles, testFiles: here.map(({ testFile }) => testFile) });
  }
  return groups;
}

function write(args: Arguments, io: Io, results: readonly TestResult[], broken: readonly Annotation[]): void {
  const format = formatOf(args);
  const shown = args['quiet'] ? results.filter(({ passed }) => !passed) : results;
  switch (format) {
    case 'json': {
      const passed = results.filter((result) => result.passed).length;
      const report = { passed, failed: results.length - passed, results, errors: broken };
      io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      return;
    }
    case 'text':
      io.stdout.write(findingsText(broken) + resultsText(shown));
      return;
    case 'gcc':
    case 'github':
      for (const annotation of [...broken, ...results.flatMap(annotationOf)]) {
        io.stdout.write(`${lineOf(format, annotation)}\n`);
      }
      return;
    default: {
      const never: never = format;
      throw new Error(`Unknown format ${String(never)}`);
    }
  }
}

function lineOf(format: Exclude<Format, 'text' | 'json'>, annotation: Annotation): string {
  return format === 'gcc' ? gccLine(annotation) : githubLine(annotation);
}

function annotationOf({ file, line, column, name, passed, differences }: TestResult): Annotation[] {
  if (passed) return [];
  const message = `${name}: ${differences.join('; ')}`;
  return [{ severity: 'error', code: 'test-failed', message, file, line, column }];
}

function resultsText(results: readonly TestResult[]): string {
  let text = '';
  let file: string | null = null;
  for (const result of results) {
    if (result.file !== file) text += `${file === null ? '' : '\n'}${printable(result.file)}\n`;
    file = result.file;
    text += result.passed
      ? `  ✔ ${printable(result.name)}\n`
      : `  ✖ ${printable(result.name)} (line ${result.line})\n${whyText(result)}`;
  }
  return text;
}

function whyText({ differences, rules, omitted }: TestResult): string {
  const lines = [
    ...differences.map((difference) => printable(difference.replaceAll('\n', ' '))),
    ...rules.flatMap(stoppedText),
    ...(omitted > 0 ? [`and ${amount(omitted, 'more rule')}`] : []),
  ];
  return lines.map((line) => `      ${line}\n`).join('');
}
