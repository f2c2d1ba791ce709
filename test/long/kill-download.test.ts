import { mkdtemp, rm } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  Barrier,
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  outcomes,
  postRule,
  SUCCESS,
  startHttpServer,
} from '../e2e/simulated.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { rpcOf } from '../support/raw-cpe.js';

/** Where on its way the server is killed, as far as can be seen on the wire. */
interface Point {
  /** The CPE's request or the server's answer that is caught; an empty POST is `''`. */
  readonly catches: { readonly request: string } | { readonly answer: string };
  /** What becomes of it: it is lost, it goes on after the server was killed, or while. */
  readonly fate: 'lost' | 'goes-on' | 'goes-on-meanwhile';
  /** How often in a row. */
  readonly kills: number;
  /** Of every CPE that can be asked, in the end. */
  readonly results: readonly string[];
}

const DONE = `200 ${SUCCESS}`;
const again = (times: string) =>
  `${DONE}; the Download was sent again ${times}, as it did not seem to have reached the device`;

const POINTS: Readonly<Record<string, Point>> = {
  'before the reservation': {
    catches: { request: '' },
    fate: 'lost',
    kills: 1,
    results: [DONE],
  },
  'after the reservation, before the Download is out': {
    catches: { answer: 'Download' },
    fate: 'lost',
    kills: 1,
    results: [again('once')],
  },
  'after the reservation, and again when the Download is repeated': {
    catches: { answer: 'Download' },
    fate: 'lost',
    kills: 2,
    results: [again('2 times')],
  },
  'after the Download is out, before it is answered': {
    catches: { answer: 'Download' },
    fate: 'goes-on',
    kills: 1,
    results: [DONE],
  },
  'after the Download is answered, before that arrives': {
    catches: { request: 'DownloadResponse' },
    fate: 'lost',
    kills: 1,
    results: [DONE],
  },
  'while the answer to the Download is recorded': {
    catches: { request: 'DownloadResponse' },
    fate: 'goes-on-meanwhile',
    kills: 1,
    results: [DONE],
  },
};

/** CPEs by what can be asked of them. One that cannot may be sent its Download once more than it needs. */
const CPES: Readonly<Record<string, { readonly faults: readonly string[]; readonly tells: boolean }>> = {
  BOTH: { faults: [], tells: true },
  OLDER: { faults: ['unsupported:GetAllQueuedTransfers'], tells: true },
  NONE: { faults: ['unsupported:GetAllQueuedTransfers', 'unsupported:GetQueuedTransfers'], tells: false },
};

/** Holds every CPE at a point until all of them are there, and the server has been killed. */
class Trap {
  readonly #point: Point;
  readonly #left = new Set(Object.keys(CPES));
  readonly #killed = new Barrier();
  readonly #all = new Barrier();

  constructor(point: Point) {
    this.#point = point;
  }

  /** Every CPE is held. */
  full(): Promise<void> {
    return this.#all.pass();
  }

  release(): void {
    this.#killed.open();
  }

  catches(serial: string, what: 'request' | 'answer', rpc: string): boolean {
    return this.#left.has(serial) && Reflect.get(this.#point.catches, what) === rpc;
  }

  async hold(serial: string): Promise<void> {
    this.#left.delete(serial);
    if (this.#left.size === 0) this.#all.open();
    await this.#killed.pass();
  }
}

interface Wire {
  trap: Trap | null;
}

/** What stands between one CPE and the server: it can lose what either says. */
function startWire(t: ExecutionContext, wire: Wire, serial: string, point: Point, ports: Ports) {
  return startHttpServer(t, async (request, response) => {
    const body = await textOf(request);
    const rpc = rpcOf(body);
    const { trap } = wire;
    if (trap?.catches(serial, 'request', rpc)) {
      if (point.fate === 'goes-on-meanwhile') post(ports, request, body).catch(() => {});
      await trap.hold(serial);
      request.socket.destroy();
      return;
    }
    const answer = await post(ports, request, body).catch(() => null);
    if (answer === null) {
      request.socket.destroy();
      return;
    }
    if (trap?.catches(serial, 'answer', rpcOf(answer.body))) {
      await trap.hold(serial);
      if (point.fate === 'lost') {
        request.socket.destroy();
        return;
      }
    }
    send(response, answer);
  });
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

function post(ports: Ports, { headers }: IncomingMessage, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _, connection: _connection, ...kept } = headers;
    const options = { method: 'POST', host: '127.0.0.1', port: ports.cwmp, agent: false as const };
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const forwarded = http.request({ ...options, headers: { ...kept, ...length } }, (answer) => {
      textOf(answer).then(
        (text) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: text }),
        reject,
      );
    });
    forwarded.on('error', reject);
    forwarded.end(body);
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const cookie = headers['set-cookie'];
  const type = headers['content-type'];
  response.writeHead(status, {
    ...(cookie !== undefined && { 'Set-Cookie': cookie }),
    ...(type !== undefined && { 'Content-Type': type }),
  });
  response.end(body);
}

for (const [title, point] of Object.entries(POINTS)) {
  test.serial(`kill -9 ${title}: one CommandKey, and every CPE arrives`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ferry-kill-'));
    const ports = await freePorts();
    // The interval is what a CPE that cannot be asked is given.
    const start = () => FerryProcess.start(dataDir, ports, ['--periodic-inform-seconds=1']);
    let ferry = await start();
    t.teardown(async () => {
      await ferry.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    const nbi = nbiClient(`http://127.0.0.1:${ports.nbi}`);
    // Apart from the server that is killed, or what it interrupts would be the transfers.
    const files = await startHttpServer(t, (_request, response) => {
      response.writeHead(200, { 'Content-Length': IMAGE.length }).end(IMAGE);
    });
    const wire: Wire = { trap: null };
    const cpes = await Promise.all(
      Object.entries(CPES).map(async ([serial, { faults }]) => {
        const url = await startWire(t, wire, serial, point, ports);
        const options = { faults, periodicIntervalMs: 300, onEnvelope: holdToSchemas(t) };
        return createCpe(t, url, serial, options);
      }),
    );
    await Promise.all(cpes.map((cpe) => introduce(nbi, cpe)));
    for (let kills = 0; kills < point.kills; kills++) {
      const trap = new Trap(point);
      wire.trap = trap;
      // Deadlines are those that every rule has: who waits for one waits for minutes.
      const target = { softwareVersion: NEW_VERSION };
      const rule = { id: 'R', file: `${files}/image.bin`, target, condition: { productClass: 'HGW' } };
      if (kills === 0) await postRule(t, nbi, rule);
      await trap.full();
      await ferry.kill();
      trap.release();
      ferry = await start();
    }
    await Promise.all(
      cpes.map(async (cpe) => {
        const { serialNumber } = cpe.identity;
        const results = await until(
          `${serialNumber} has a final result`,
          async () => {
            const found = await outcomes(nbi, cpeidOf(serialNumber));
            return found.length > 0 && !found.includes('running') && found;
          },
          60_000,
        );
        t.is(cpe.softwareVersion, NEW_VERSION, serialNumber);
        t.is(commandKeys(cpe).length, 1, serialNumber);
        const isTold = CPES[serialNumber]?.tells === true;
        t.deepEqual(
          isTold ? results : results.map((result) => result.split(';')[0]),
          isTold ? point.results : [DONE],
        );
        if (isTold) t.is(cpe.downloads.length, 1, serialNumber);
      }),
    );
  });
}
