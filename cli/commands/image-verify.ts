import { createHash } from 'node:crypto';
import type { CommandModule } from 'yargs';
import { type ImageSignature, SIGNATURE_BYTES_MAX } from '../../firmware/index.js';
import { type Arguments, CommandError } from '../command.js';
import { openFile } from '../files.js';
import { withImages, withOrganization } from '../images-access.js';
import { type Io, printable } from '../io.js';

/** `ferry image verify`: what was verified when an image came, once more. */
export function verifyCommand(io: Io): CommandModule {
  return {
    command: 'verify <name>',
    describe: 'Read an image again: whether its bytes are those that came, and its signature holds',
    builder: (argv) =>
      withOrganization(
        argv,
        'By what this organization means by the name, by its slug; without, a shared one',
      )
        .positional('name', { type: 'string', describe: 'Its name in the library' })
        .epilogue(
          'The exit code is 1 where its bytes are others, or it has no signature of a key that holds.',
        ),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization }) => {
        const name = String(args['name']);
        const image = await images.get(name, organization?.id);
        if (image === null) {
          throw new CommandError(printable(`There is no image ${name}; ferry image list shows them.`));
        }
        const content = await images.open(image);
        if (content === null) throw new CommandError(`The content of ${name} is lost: add it again.`);
        const hash = createHash('sha256');
        for await (const chunk of content.read({ start: 0, end: image.sizeBytes - 1 })) hash.update(chunk);
        const sha256 = hash.digest('hex');
        if (sha256 !== image.sha256) {
          throw new CommandError(
            `${name} has other bytes than came: SHA-256 ${sha256}, not ${image.sha256}.`,
          );
        }
        io.stdout.write(`${name} has the bytes that came, SHA-256 ${sha256}\n`);
        await images.verify(image);
        if (image.signature !== undefined) io.stdout.write(`${signedText(image.signature)}\n`);
      }),
  };
}

/** By whom an image is signed, as a sentence. */
export function signedText({ keyName, keyId, algorithm, trustedComment }: ImageSignature): string {
  const comment = trustedComment === undefined ? '' : `, with the comment: ${trustedComment}`;
  return printable(`Signed by ${keyName} (${keyId}, ${algorithm})${comment}`);
}

/** The file that `--signature` names; null where it is not there. @throws CommandError */
export async function signatureOf(args: Arguments): Promise<Buffer | null> {
  if (args['signature'] === undefined) return null;
  return smallFile(String(args['signature']), SIGNATURE_BYTES_MAX);
}

/** A file as a whole. @throws CommandError where it is larger than it may be */
export async function smallFile(path: string, bytesMax: number): Promise<Buffer> {
  const { file, sizeBytes } = await openFile(path);
  try {
    if (sizeBytes > bytesMax) {
      throw new CommandError(printable(`${path} has ${sizeBytes} bytes, which may be at most ${bytesMax}.`));
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
