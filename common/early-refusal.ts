import type { Server } from 'node:net';
import { plainAddress } from './addresses.js';

/** @param address  of the client, as `plainAddress` has it; '' where the system does not say */
export type IsRefused = (address: string) => boolean;

/** What of a connection there is before node has made a socket of it. */
interface ClientHandle {
  getpeername(into: { address?: string }): number;
  close(): void;
}

type OnConnection = (this: unknown, error: number, client: ClientHandle | undefined) => void;

const guards = new WeakMap<Server, IsRefused>();

/**
 * Has connections of a server closed before node makes a socket of them, and a server hear of none: it costs a tenth. Who is to be refused is
 * asked for each; as it rests upon what node keeps to itself, whoever is refused must be by the listeners of the server as well.
 * To be called before it listens.
 */
export function refuseEarly(server: Server, isRefused: IsRefused): void {
  guards.set(server, isRefused);
  server.on('listening', () => guard(server, isRefused));
}

/** The same for one that listens already, and whose connections are those of a server that is guarded. */
export function refuseEarlyAs(server: Server, further: Server): void {
  const isRefused = guards.get(server);
  if (isRefused !== undefined) guard(further, isRefused);
}

function guard(server: Server, isRefused: IsRefused): void {
  const handle: unknown = Reflect.get(server, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const onConnection: unknown = Reflect.get(handle, 'onconnection');
  if (typeof onConnection !== 'function') return;
  const guarded: OnConnection = function (error, client) {
    if (client === undefined || !isRefused(addressOf(client))) onConnection.call(this, error, client);
    else client.close();
  };
  Reflect.set(handle, 'onconnection', guarded);
}

function addressOf(client: ClientHandle): string {
  const peer: { address?: string } = {};
  client.getpeername(peer);
  return plainAddress(peer.address ?? '');
}
