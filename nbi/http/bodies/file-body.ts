import type { BodyKind } from './body-kind.js';
import { octetsBody } from './octets-body.js';
import { readWholeBody } from './whole-body.js';

/** A small file as it is, as a whole; without a Content-Type it is taken for one. @param remedy  what to do about one that is larger */
export function fileBody(bytesMax: number, remedy: string): BodyKind<Buffer> {
  return {
    content: octetsBody.content,
    heldBytesMax: ({ bytes }) => Math.min(bytes, bytesMax),
    async read(source) {
      await octetsBody.read(source);
      return readWholeBody(source.request, source.limits, { bytesMax, remedy });
    },
  };
}
