import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import type { BusboyInstance } from '@fastify/busboy';
import type { ApiError, BodyKind } from '../http/index.js';
import { type BodyData, formParser, multipartError, PARTS_TYPE } from './manners/index.js';

/** A form with an image as it comes. */
export interface ImageForm {
  /** What stands before the file; all of it, once {@link ended}. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The file of the field `file`; null where the form has ended without one. */
  readonly file: { /** Without directories. */ readonly name: string; readonly content: Readable } | null;
  /** Resolves once the whole form has come. @throws ApiError 400 where it does not */
  ended(): Promise<void>;
  /** Whether the file was broken off as it has more bytes than it may. */
  isTooLarge(): boolean;
  /** What is wrong with the form, where it was broken off for that. */
  refusal(): ApiError | null;
  /** Passes over what there is of the file, so that the rest of the form comes. */
  skip(): void;
  /** Reads no more of the form, and passes over whatever still comes: who sends it all before he reads gets his answer. */
  leave(): void;
}

const FILE_FIELD = 'file';
/** Of all fields of a form together: there is little to say of an image. */
const FIELD_BYTES_MAX = 64 * 1024;

/** Reads a form as it comes, up to where its file begins: what else is said may stand before it and behind it. */
export function readImageForm(request: IncomingMessage, fileBytesMax: number): Promise<ImageForm> {
  return new ImageFormReader(request, fileBytesMax).form();
}

class ImageFormReader {
  readonly #request: IncomingMessage;
  readonly #parser: BusboyInstance;
  readonly #values: Record<string, unknown> = Object.create(null);
  /** The file, which is only at its end where its part is: so nothing is taken for whole that is not. */
  readonly #content = new PassThrough();
  readonly #whole: Promise<void>;
  #end: () => void = () => {};
  #fail: (error: Error) => void = () => {};
  #refusal: ApiError | null = null;
  #hasFile = false;
  #fileBytes = 0;
  #fieldBytes = 0;

  /** @throws UpgraderError 400 */
  constructor(
    request: IncomingMessage,
    private readonly fileBytesMax: number,
  ) {
    this.#request = request;
    this.#parser = formParser(request, FIELD_BYTES_MAX);
    // Whoever reads it is told. Where nobody does, or not any more, an error that nobody hears would end the process.
    this.#content.on('error', () => {});
    this.#whole = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#whole.catch(() => {});
  }

  form(): Promise<ImageForm> {
    return new Promise((resolve, reject) => {
      const form = (file: ImageForm['file']): ImageForm => ({
        values: this.#values,
        file,
        ended: () => this.#whole,
        isTooLarge: () => this.#fileBytes > this.fileBytesMax,
        refusal: () => this.#refusal,
        skip: () => void this.#content.resume(),
        leave: () => this.#leave(),
      });
      this.#whole.then(() => resolve(form(null)), reject);
      this.#parser.on('field', (name: string | undefined, value) => {
        if (name === undefined) return;
        this.#fieldBytes += Buffer.byteLength(value) + Buffer.byteLength(name);
        if (this.#fieldBytes > FIELD_BYTES_MAX) this.#refuse(multipartError('its fields are too large'));
        else this.#values[name] = value;
      });
      this.#parser.on('file', (name: string | undefined, stream, fileName) => {
        // The form fails with it.
        stream.on('error', () => {});
        if (name !== FILE_FIELD || this.#hasFile) {
          stream.resume();
          return;
        }
        this.#hasFile = true;
        stream.on('data', (chunk: Buffer) => {
          this.#fileBytes += chunk.length;
          if (this.#fileBytes > this.fileBytesMax) this.#refuse(multipartError('the file is too large'));
        });
        stream.pipe(this.#content);
        resolve(form({ name: fileName ?? '', content: this.#content }));
      });
      for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
        this.#parser.on(limit, () => this.#refuse(multipartError('too many parts')));
      this.#parser.on('error', (error) =>
        this.#refuse(multipartError(error instanceof Error ? error.message : String(error))),
      );
      this.#parser.on('finish', () => this.#end());
      this.#request.once('close', () => {
        if (!this.#request.complete) this.#refuse(multipartError('the connection broke'));
      });
      // One that broke before anybody listened gives neither bytes nor an end.
      if (this.#request.destroyed && !this.#request.complete)
        this.#refuse(multipartError('the connection broke'));
      else this.#request.pipe(this.#parser);
    });
  }

  /** The form, and the file as far as it is being read, which nobody takes for whole then. */
  #refuse(error: ApiError): void {
    this.#refusal ??= error;
    this.#fail(error);
    this.#content.destroy(error);
    this.#leave();
  }

  #leave(): void {
    this.#request.unpipe(this.#parser);
    if (!this.#parser.destroyed) this.#parser.destroy();
    this.#request.resume();
  }
}

/** As the OpenAPI document shows such a form; the handler reads it by itself. @param others  reads what is no such form */
export function imageFormBody(others: BodyKind<BodyData>, types: readonly string[]): BodyKind<BodyData> {
  return {
    content: {
      [PARTS_TYPE]: {
        schema: {
          type: 'object',
          required: ['file', 'type'],
          properties: {
            file: { type: 'string', format: 'binary', description: 'The image itself.' },
            type: {
              type: 'string',
              enum: ['', ...types],
              description: 'Which devices it is for; empty: what its name says behind the first dash.',
            },
          },
        },
      },
    },
    // The file is streamed; fields are few and short.
    heldBytesMax: (announced, limits) =>
      announced.mediaType === PARTS_TYPE ? 0 : others.heldBytesMax(announced, limits),
    read: (source) => others.read(source),
  };
}
