import type { Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const HEADER_BYTES = 16;
const FLAGS_BYTES = 4;
const OP_MSG = 2013;

/** What a server that refuses `request` writes, as error `code`. */
export function refusalOf(request: Buffer, code: number, codeName: string): Buffer {
  const body = BSON.serialize({ ok: 0, code, codeName, errmsg: `${codeName}, for a test` });
  const head = Buffer.alloc(HEADER_BYTES + FLAGS_BYTES + 1);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(request.readInt32LE(4), 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}

/**
 * Reads the commands out of what clients send to a MongoDB server.
 * @returns what takes each piece of bytes, by connection
 */
export function commandReader(
  onCommand: (command: Document) => void,
): (bytes: Buffer, client: Socket) => void {
  const unread = new WeakMap<Socket, Buffer>();
  return (bytes, client) => {
    let left = Buffer.concat([unread.get(client) ?? Buffer.alloc(0), bytes]);
    while (left.length >= HEADER_BYTES && left.length >= left.readInt32LE(0)) {
      const message = left.subarray(0, left.readInt32LE(0));
      left = left.subarray(message.length);
      // The command is the section of kind 0; documents of a bulk write may follow in sections of kind 1.
      const body = message.subarray(HEADER_BYTES + FLAGS_BYTES);
      if (message.readInt32LE(12) !== OP_MSG || body[0] !== 0) continue;
      onCommand(BSON.deserialize(body.subarray(1, 1 + body.readInt32LE(1))));
    }
    unread.set(client, left);
  };
}

/** A command as `explain` takes it: without what belongs to its session. */
export function explainable(command: Document): Document {
  const {
    lsid: _lsid,
    $clusterTime: _clusterTime,
    $db: _db,
    $readPreference: _readPreference,
    readConcern: _readConcern,
    txnNumber: _txnNumber,
    ...rest
  } = command;
  return rest;
}
