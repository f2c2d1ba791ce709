import type { CommandModule } from 'yargs';
import { type CheckReport, checkRuleFiles, type Finding, type Severity } from '../../../rules/index.js';
import { type Arguments, CommandError } from '../../command.js';
import type { Io } from '../../io.js';
import { progressBar } from '../../progress.js';
import { amount, findingsText, formatOf, formatOptions, gccLine, githubLine } from './report.js';
import { readSources } from './sources.js';

/** Fewer are checked before anyone could read a progress bar. */
const FILES_FOR_PROGRESS = 200;

export function checkCommand(io: Io): CommandModule {
  return {
    command: 'check <paths..>',
    describe: 'Check rule files, without a server: errors, and what is hardly meant',
    builder: (argv) =>
      argv
        .positional('paths', { type: 'string', array: true, describe: 'Directories of rule files, or files' })
        .option('strict', { type: 'boolean', describe: 'Fail on warnings, too' })
        .option('quiet', { type: 'boolean', describe: 'Print errors only, and no summary' })
        .option('notes', { type: 'boolean', describe: 'Print what is merely good to know, too' })
        .options(formatOptions)
        .example('$0 rules check rules.d', 'All rule files of a directory, as the server would see them')
        .example('$0 rules check --strict --format github rules.d', 'In a workflow of GitHub Actions')
        .epilogue(
          'Exit code 0: no errors; 1: errors (with --strict also warnings); 2: wrong usage. docs/rules.md explains each code.',
        ),
    handler: (args: Arguments) => check(args, io),
  };
}

async function check(args: Arguments, io: Io): Promise<void> {
  const sources = await readSources(pathsOf(args));
  const files = sources.reduce((sum, source) => sum + source.files.length, 0);
  const bar =
    files < FILES_FOR_PROGRESS || args['quiet']
      ? null
      : progressBar(io, { title: 'Checking', total: files, unit: 'items' });
  const reports: CheckReport[] = [];
  try {
    for (const source of sources) reports.push(await checkRuleFiles(source.files, () => bar?.add(1)));
  } finally {
    bar?.stop();
  }
  const findings = reports.flatMap((report) => report.findings);
  const counts = countsOf(findings);
  write(args, io, reports, findings);
  const rules = reports.reduce((sum, report) => sum + report.rules, 0);
  const summary = `${amount(counts.error, 'error')} and ${amount(counts.warning, 'warning')} in ${amount(rules, 'rule')} of ${amount(files, 'file')}`;
  if (counts.error > 0 || (args['strict'] && counts.warning > 0)) throw new CommandError(summary);
  if (!args['quiet']) io.stderr.write(`${summary}\n`);
}

/** The words of the command line that are no options. */
export function pathsOf(args: Arguments): readonly string[] {
  const paths = args['paths'];
  return Array.isArray(paths) ? paths.map(String) : [];
}

function countsOf(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

function write(args: Arguments, io: Io, reports: readonly CheckReport[], findings: readonly Finding[]): void {
  const format = formatOf(args);
  if (format === 'json') {
    const files = reports.reduce((sum, report) => sum + report.files, 0);
    const rules = reports.reduce((sum, report) => sum + report.rules, 0);
    const omitted = reports.reduce((sum, report) => sum + report.omitted, 0);
    io.stdout.write(`${JSON.stringify({ files, rules, findings, omitted }, null, 2)}\n`);
    return;
  }
  const shown = findings.filter(
    ({ severity }) =>
      severity === 'error' || (!args['quiet'] && (severity === 'warning' || args['notes'] === true)),
  );
  if (format === 'text') io.stdout.write(findingsText(shown));
  else {
    const line = format === 'gcc' ? gccLine : githubLine;
    for (const finding of shown) io.stdout.write(`${line(finding)}\n`);
  }
  const omitted = reports.reduce((sum, report) => sum + report.omitted, 0);
  if (omitted > 0) io.stderr.write(`and ${omitted} more, not listed\n`);
}
