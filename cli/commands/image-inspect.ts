import { createHash } from 'node:crypto';
import type { CommandModule } from 'yargs';
import { type Inspected, Inspection } from '../../firmware/index.js';
import { type Arguments, CommandError } from '../command.js';
import { readingFile } from '../files.js';
import { columnsOf, type Io, printable, sizeText, tableText } from '../io.js';
import { progressBar } from '../progress.js';

/** `ferry image inspect`: what a file says that it is. It needs no installation. */
export function inspectCommand(io: Io): CommandModule {
  return {
    command: 'inspect <file>',
    describe: 'Tell what a firmware file says of itself, and whether it is whole; needs no installation',
    builder: (argv) =>
      argv
        .positional('file', { type: 'string', describe: 'The image file' })
        .option('json', { type: 'boolean', describe: 'Print it as JSON' })
        .epilogue('The exit code is 1 where the file is broken.'),
    async handler(args: Arguments) {
      const path = String(args['file']);
      const { sizeBytes, sha256, inspected } = await readingFile(path, (content, bytes) =>
        inspect(content, bytes, io),
      );
      const text = args['json']
        ? JSON.stringify({ file: path, sizeBytes, sha256, ...inspected }, null, 2)
        : report(path, { sizeBytes, sha256, inspected }, columnsOf(io.stdout));
      io.stdout.write(`${text}\n`);
      const { broken } = inspected;
      if (broken.length > 0) throw new CommandError(`${printable(path)} is broken: ${broken.join('; ')}.`);
    },
  };
}

interface Looked {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly inspected: Inspected;
}

async function inspect(content: AsyncIterable<unknown>, sizeBytes: number, io: Io): Promise<Looked> {
  const bar = progressBar(io, { title: 'Reading', total: sizeBytes, unit: 'bytes' });
  const inspection = new Inspection();
  const hash = createHash('sha256');
  let read = 0;
  try {
    for await (const chunk of content) {
      const bytes = chunk as Buffer;
      inspection.update(bytes);
      hash.update(bytes);
      read += bytes.length;
      bar.add(bytes.length);
    }
  } finally {
    bar.stop();
  }
  return { sizeBytes: read, sha256: hash.digest('hex'), inspected: inspection.end() };
}

const TITLES = {
  version: 'Version',
  boards: 'Boards',
  hardware: 'Hardware',
  region: 'Region',
  description: 'Description',
} as const;
const CHECKSUMS = {
  right: 'its checksums are right',
  wrong: 'broken',
  none: 'without a checksum that is known',
};

function report(path: string, { sizeBytes, sha256, inspected }: Looked, columns: number): string {
  const { findings, facts, unread } = inspected;
  const about = `${printable(path)}, ${sizeText(sizeBytes)}\nSHA-256 ${sha256}`;
  if (findings.length === 0)
    return `${about}\nIt is of no format that Ferry knows, so it says nothing of itself.`;
  const formats = findings.map(({ format, checksum }) => `${format}: ${CHECKSUMS[checksum]}`);
  const rows = (Object.keys(TITLES) as (keyof typeof TITLES)[]).flatMap((name) => {
    const fact = facts[name];
    if (fact === undefined) return [];
    const value = typeof fact.value === 'string' ? fact.value : fact.value.join('\n');
    return [[TITLES[name], value, `${fact.from}, byte ${fact.atByte}`]];
  });
  const table =
    rows.length === 0
      ? 'It says nothing of version or board.'
      : tableText(['What', 'It says', 'Where'], rows, columns);
  return [about, ...formats, ...unread.map((told) => `Not all of it was read: ${told}.`), table].join('\n');
}
