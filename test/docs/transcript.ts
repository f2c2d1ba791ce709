import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ferry } from '../cli/support.js';
import { makeField } from './field.js';

export const GUIDE = fileURLToPath(new URL('../../../docs/rules.md', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../../docs/examples/rules', import.meta.url));
const BEGIN = '<!-- transcript: npm run docs:transcript writes what follows -->';
const END = '<!-- end of transcript -->';

/** One thing that the author does. */
type Step =
  /** Something is said between commands. */
  | { readonly say: string }
  /** A text in a file is replaced, as in an editor. */
  | { readonly edit: string; readonly from: string; readonly to: string }
  /** A command is run as it stands, and what it prints is shown. */
  | { readonly run: string };

/** Half past two on a Saturday, in the window. */
const NIGHT = '2026-01-31T02:30:00+01:00';

/** An author's session, from a draft with mistakes to a rule that hits whom it should. */
const SESSION: readonly Step[] = [
  { say: 'A first draft of the canary rule; its tests are written already.' },
  { run: 'ferry rules check rules.d' },
  { say: 'Both are traps: neither condition would ever have held. They are mended.' },
  { edit: 'rules.d/hgw.json', from: 'softwareversion', to: 'softwareVersion' },
  { edit: 'rules.d/hgw.json', from: "events = '1 BOOT'", to: "'1 BOOT' in events" },
  { run: 'ferry rules check rules.d' },
  { run: 'ferry rules test rules.d' },
  { say: 'A canary should not wait for a reboot. That conjunct goes.' },
  { edit: 'rules.d/hgw.json', from: " and '1 BOOT' in events", to: '' },
  { run: 'ferry rules test rules.d' },
  { run: 'ferry rules check --strict --quiet rules.d' },
  {
    say: 'Whom will it hit? ferry-data is what a server has that knows a hundred CPEs; the rule is not stored yet.',
  },
  { run: `ferry rules match hgw-2.0.0-canary --file rules.d/hgw.json --now ${NIGHT}` },
  { say: 'What becomes of one of those, and why not of its neighbour?' },
  {
    run: `ferry rules explain hgw-2.0.0-canary --file rules.d/hgw.json --cpe 00A1B2-HGW-SIM000023 --now ${NIGHT}`,
  },
  {
    run: `ferry rules explain hgw-2.0.0-canary --file rules.d/hgw.json --cpe 00A1B2-HGW-SIM000024 --now ${NIGHT}`,
  },
];

/** What makes a draft of the shipped example. */
const MISTAKES: readonly (readonly [string, string])[] = [
  ['$compareVersions(softwareVersion', '$compareVersions(softwareversion'],
  [' < 5', " < 5 and events = '1 BOOT'"],
];

/** Goes through the session in a directory, with the real command, and gives what a terminal would have shown. */
export async function transcript(directory: string): Promise<string> {
  await cp(EXAMPLES, join(directory, 'rules.d'), { recursive: true });
  await makeField(join(directory, 'ferry-data'));
  for (const [from, to] of MISTAKES) await edit(join(directory, 'rules.d/hgw.json'), from, to);
  const lines: string[] = [];
  for (const [index, step] of SESSION.entries()) {
    if ('say' in step) lines.push(`# ${step.say}`);
    else if ('edit' in step) {
      await edit(join(directory, step.edit), step.from, step.to);
      lines.push(`# ${step.edit}: ${step.from.trim()} → ${step.to === '' ? 'nothing' : step.to}`);
      if ('run' in (SESSION[index + 1] ?? {})) lines.push('');
    } else {
      const [, ...words] = step.run.split(' ');
      const { stdout, stderr, exitCode } = await ferry(words, { cwd: directory });
      const printed = `${stdout}${stderr}`.trimEnd();
      lines.push(`$ ${step.run}`, ...(printed === '' ? [] : printed.split('\n')));
      if (exitCode !== 0) lines.push(`[exit code ${exitCode}]`);
      lines.push('');
    }
  }
  return lines.join('\n').trimEnd();
}

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

/** The guide with another transcript in it. */
export function withTranscript(guide: string, text: string): string {
  const [begin, end] = [guide.indexOf(BEGIN), guide.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`The guide has no ${BEGIN} … ${END}`);
  return `${guide.slice(0, begin)}${BEGIN}\n\n\`\`\`text\n${text}\n\`\`\`\n\n${guide.slice(end)}`;
}
