import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import net, { type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Logger, refuseEarlyAs, SECOND_MS } from '../../common/index.js';

/** Connections that may wait to be accepted, as far as the system lets a listener have them. */
export const BACKLOG = 4_096;

/** Long enough for a process to begin on a busy machine; who waits no longer goes on with fewer. */
const HANDED_BACK_MS_MAX = 10 * SECOND_MS;
const HANDS_BACK = fileURLToPath(new URL('hand-back.js', import.meta.url));

/**
 * How many more connections each listener accepts a turn. Northbound: 2,000 that knock at once hold up the brake for 32 turns, not 2,000.
 * CWMP: each session begins with a connection, and where turns are long for what others do, one a turn is all that CPEs would have.
 */
export const FURTHER_ACCEPTORS = { nbi: 63, cwmp: 15 } as const;

/**
 * Has servers that listen accept so many connections more in each turn of the event loop, and not just one.
 *
 * libuv takes one connection a turn from a listening socket (since 1.45), and a turn is as long as all that it finds to do. Where a turn is busy
 * for 5 ms nobody gets in faster than 200 a second, however little is done for them, and who comes last waits behind everybody who has
 * knocked before. Of each further descriptor of the same socket a turn takes one more. Node.js has no `dup`, but what is sent to another
 * process is one, and comes back as another. The other process never listens, so that no connection can be lost in it.
 * @returns closes the further descriptors; there are fewer than wished where the other process could not be had
 */
export async function acceptMoreATurn(
  listeners: readonly { readonly server: Server; readonly more: number }[],
  logger: Logger,
): Promise<() => void> {
  // What a worker is given is accepted by the first process, which does nothing else.
  if (cluster.isWorker || listeners.every(({ more }) => more === 0)) return () => {};
  const acceptors: Server[] = [];
  const helper = fork(HANDS_BACK, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: {} });
  // Also of a message that could not be sent, or a signal, once nobody waits for an answer: it is not to end this process.
  helper.on('error', () => {});
  try {
    for (const { server, more } of listeners)
      for (let index = 0; index < more; index++) acceptors.push(await acceptor(server, helper));
  } catch (error) {
    // It is slow under attack, and no reason not to serve.
    logger.warn('listeners.few-acceptors', { further: acceptors.length, error });
  } finally {
    helper.kill();
  }
  return () => {
    for (const each of acceptors) each.close();
  };
}

/** One more descriptor of the socket on which a server listens, whose connections are the server's. */
async function acceptor(server: Server, helper: ChildProcess): Promise<Server> {
  const handle = await handedBack(server, helper);
  const pauseOnConnect = Reflect.get(server, 'pauseOnConnect') === true;
  const further = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect });
  further.on('connection', (socket) => server.emit('connection', socket));
  await new Promise<void>((resolve, reject) => {
    further.once('error', reject);
    further.listen(handle, BACKLOG, resolve);
  });
  refuseEarlyAs(server, further);
  return further;
}

/** The descriptor of a server's socket once more, as node sends and takes it: an object that `net` can listen with. */
function handedBack(server: Server, helper: ChildProcess): Promise<object> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => settle(() => reject(error));
    const gone = () => failed(new Error('the process that hands back has ended'));
    const impatience = setTimeout(() => failed(new Error('nothing was handed back')), HANDED_BACK_MS_MAX);
    const came = (_message: unknown, handle: unknown) => {
      settle(() =>
        typeof handle === 'object' && handle !== null ? resolve(handle) : reject(new Error('no handle')),
      );
    };
    const settle = (act: () => void) => {
      clearTimeout(impatience);
      helper.off('message', came).off('exit', gone).off('error', failed);
      act();
    };
    helper.once('message', came).once('exit', gone).once('error', failed);
    // Not the server itself: the other process would listen with that, and connections end in it.
    helper.send('', Reflect.get(server, '_handle'));
  });
}
