import type { Actor } from '../../events/index.js';
import type { Exchange } from './route.js';

/**
 * Who makes a change, for the log of events.
 * @throws Error on an open route: nobody changes anything without having said who he is
 */
export function actorOf({ by, request }: Pick<Exchange, 'by' | 'request'>): Actor {
  if (by === null) throw new Error(`${request.method} ${request.path} changes something, and is open to all`);
  return by;
}
