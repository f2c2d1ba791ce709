import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { progressBar } from '../../cli/progress.js';
import { interruptible } from '../builds/interruption.js';
import { buildWorkTree, ROOT, removeWorkTree, resolveCommit, shortHash } from '../builds/work-tree.js';
import { refuseOptions } from '../refuse-options.js';
import type { Attack } from './attack.js';
import { ATTACKS, EVERY_ATTACK } from './catalogue.js';
import { type AttackFigures, countPlaces, measureAttack } from './measure.js';
import { type BuildUnderAttack, reportJson, reportText } from './report.js';
import { Stage } from './stage.js';

/** On one core nothing can be held to another. */
const cores = availableParallelism();
const cpusOf = (first: number) =>
  cores === 1 ? '' : first === cores - 1 ? String(first) : `${first}-${cores - 1}`;

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run bench:attacks --')
  .usage(
    '$0\n\nAttacks a server in ways that have been seen to take it from the others, one after the other, and says what is left for known ' +
      'CPEs and the emergency brake. Each attack has a server of its own on a copy of one data set.',
  )
  .option('attacks', {
    type: 'string',
    describe:
      'Names of the attacks, with commas between; "every": also those that are measured only when named',
  })
  .option('seconds', { type: 'number', default: 10, describe: 'Of each attack, and of the time before it' })
  .option('cpes', { type: 'number', default: 100, describe: 'Known CPEs' })
  .option('pause-ms', {
    type: 'number',
    default: 250,
    describe:
      'Of a CPE from one session to the next; 0: as fast as the server can, so that each has its share of it',
  })
  .option('rules', { type: 'number', default: 20_000, describe: 'Rules stored' })
  .option('against', { type: 'string', describe: 'Attack COMMIT first, built in a temporary git work tree' })
  .option('tree', { type: 'string', describe: 'Attack the build in DIR instead of this one' })
  .option('server-cpus', { type: 'string', default: cores > 1 ? '0' : '', describe: 'As taskset takes them' })
  .option('attacker-cpus', {
    type: 'string',
    default: cores > 1 ? '1' : '',
    describe: 'As taskset takes them',
  })
  .option('cpe-cpus', {
    type: 'string',
    default: cpusOf(Math.min(2, cores - 1)),
    describe: 'As taskset takes them; where it is the core of who attacks, CPEs have more weight',
  })
  .option('json', {
    type: 'boolean',
    default: false,
    describe: 'Print JSON with everything that was measured',
  })
  .epilogue(
    `Attacks:\n${EVERY_ATTACK.map(({ name, describe }) => `  ${name.padEnd(17)} ${describe}`).join('\n')}\n\n` +
      `Without --attacks: ${ATTACKS[0]?.name} to ${ATTACKS.at(-1)?.name}. The exit code is 2 where something could not be measured, else 0: ` +
      'what a machine that is slow or shared shows is for people to judge.',
  )
  .check(({ attacks, seconds, cpes, rules, 'pause-ms': pauseMs }) => {
    chosen(attacks);
    for (const [name, value] of Object.entries({ seconds, cpes, rules })) {
      if (!(value > 0)) throw new Error(`--${name} is ${value}, where a number above 0 should be`);
    }
    if (!(pauseMs >= 0)) throw new Error(`--pause-ms is ${pauseMs}, where a number from 0 on should be`);
    return true;
  })
  .fail(refuseOptions)
  .strict()
  .parseAsync();

function chosen(names: string | undefined): readonly Attack[] {
  if (names === undefined) return ATTACKS;
  if (names === 'every') return EVERY_ATTACK;
  return names.split(',').map((name) => {
    const attack = EVERY_ATTACK.find((each) => each.name === name.trim());
    if (attack === undefined)
      throw new Error(
        `--attacks has "${name}", which is none of ${EVERY_ATTACK.map((each) => each.name).join(', ')}`,
      );
    return attack;
  });
}

async function attackBuild(
  tree: string,
  build: string,
  directory: string,
  signal: AbortSignal,
): Promise<BuildUnderAttack> {
  const { serverCpus, attackerCpus, cpeCpus, cpes, rules, pauseMs, seconds } = options;
  const attacks = chosen(options.attacks);
  const how = { cpes, pauseMs, seconds, attackerCpus, cpeCpus, signal };
  process.stderr.write(`Filling a store with ${rules} rules\n`);
  const hasNewcomers = attacks.some(({ logsIn }) => logsIn === true);
  const stage = await Stage.make({ tree, directory, cpes, rules, hasNewcomers, serverCpus, signal });
  const places = await countPlaces(stage);
  const bar = progressBar(process, { title: 'Attacking', total: attacks.length, unit: 'items' });
  const figures: AttackFigures[] = [];
  try {
    for (const [index, attack] of attacks.entries()) {
      bar.at(index, attack.name);
      // With few descriptors they would be counted, and not places.
      const placesBefore = attack.server?.descriptors === undefined ? places : null;
      const measured = await measureAttack(stage, attack, placesBefore, how).catch((error: unknown) => {
        // What others show is not lost for one.
        if (signal.aborted) throw error;
        process.stderr.write(`${attack.name} could not be measured: ${error}\n`);
        return null;
      });
      if (measured !== null) figures.push(measured);
    }
    bar.at(attacks.length, '');
  } finally {
    bar.stop();
  }
  return { build, attacks: figures };
}

async function attackBuilds(signal: AbortSignal): Promise<number> {
  const {
    against,
    tree = ROOT,
    cpes,
    pauseMs,
    seconds,
    rules,
    serverCpus,
    attackerCpus,
    cpeCpus,
    json,
  } = options;
  const directory = await mkdtemp(join(tmpdir(), 'ferry-attacks-'));
  const other = join(directory, 'tree');
  try {
    const builds: BuildUnderAttack[] = [];
    if (against !== undefined) {
      const hash = await resolveCommit(against);
      await buildWorkTree(hash, other, { tell: (doing) => process.stderr.write(`${doing}\n`), signal });
      builds.push(
        await attackBuild(other, shortHash(hash), await mkdtemp(join(directory, 'before-')), signal),
      );
    }
    const name = tree === ROOT ? 'this work tree' : tree;
    builds.push(await attackBuild(resolve(tree), name, await mkdtemp(join(directory, 'today-')), signal));
    const cpus = { server: serverCpus, attacker: attackerCpus, cpes: cpeCpus };
    const report = json ? reportJson : reportText;
    process.stdout.write(`${report(builds, { cpes, pauseMs, seconds, rules, cpus })}\n`);
    const wanted = builds.length * chosen(options.attacks).length;
    const measured = builds.reduce((sum, { attacks }) => sum + attacks.length, 0);
    return measured === wanted ? 0 : 2;
  } finally {
    if (against !== undefined) await removeWorkTree(other);
    await rm(directory, { recursive: true, force: true });
  }
}

// What only looks stays off the server's processors, like all that it starts.
if (options.cpeCpus !== '') spawnSync('taskset', ['-a', '-p', '-c', options.cpeCpus, String(process.pid)]);
process.exitCode = await interruptible(attackBuilds, 'Servers, attackers and their data are gone.');
