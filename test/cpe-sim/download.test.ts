import test, { type ExecutionContext } from 'ava';
import { DownloadError, type DownloadOptions, downloadImage } from '../../cpe-sim/download.js';
import { makeImage } from '../../cpe-sim/index.js';
import { FileServer } from './file-server.js';

const image = makeImage({ softwareVersion: '2.0.0', productClass: 'HGW-1', sizeBytes: 300_000 });

async function serve(t: ExecutionContext): Promise<FileServer> {
  const server = await FileServer.start(image);
  t.teardown(() => server.stop());
  return server;
}

function fetch(url: string, options: Partial<DownloadOptions> = {}): ReturnType<typeof downloadImage> {
  return downloadImage({
    url,
    credentials: null,
    fileSizeBytes: image.length,
    imageBytesMax: 1_000_000,
    idleMsMax: 5_000,
    resumeMs: 5,
    signal: new AbortController().signal,
    ...options,
  });
}

async function failsWith(t: ExecutionContext, faultCode: number, fetching: Promise<unknown>): Promise<void> {
  const error = await t.throwsAsync(fetching, { instanceOf: DownloadError });
  t.is(error.fault.faultCode, faultCode, error.message);
}

test('an image is fetched and its version read', async (t) => {
  const server = await serve(t);
  t.like(await fetch(server.url), {
    softwareVersion: '2.0.0',
    productClass: 'HGW-1',
    sizeBytes: 300_000,
    resumes: 0,
  });
});

test('a broken transfer is taken up where it stopped', async (t) => {
  const server = await serve(t);
  server.breaks = 2;
  server.breakAfterBytes = 100_000;
  const fetched = await fetch(server.url);
  t.is(fetched.sizeBytes, 300_000);
  t.is(fetched.resumes, 2);
  t.is(server.ranges.length, 3);
  for (const range of server.ranges.slice(1)) t.regex(range, /^bytes=[1-9]\d*-$/);
});

test('a file that was replaced meanwhile is fetched anew, not stitched together', async (t) => {
  const server = await serve(t);
  server.breaks = 1;
  server.breakAfterBytes = 100_000;
  server.intercept = (request) => {
    if (request.headers.range !== undefined) {
      server.file = makeImage({ softwareVersion: '3.0.0', sizeBytes: 300_000 });
      server.etag = '"v2"';
    }
    return false;
  };
  t.like(await fetch(server.url), { softwareVersion: '3.0.0', resumes: 1 });
});

test('a transfer that breaks again and again is 9017', async (t) => {
  const server = await serve(t);
  server.breaks = 100;
  server.breakAfterBytes = 1_000;
  await failsWith(t, 9017, fetch(server.url));
  t.is(server.ranges.length, 6);
});

test('a server that cannot be reached is 9015', async (t) => {
  const server = await FileServer.start(image);
  const { url } = server;
  await server.stop();
  await failsWith(t, 9015, fetch(url));
});

for (const [status, faultCode] of [
  [401, 9012],
  [403, 9016],
  [404, 9016],
  [410, 9016],
  [500, 9010],
] as const) {
  test(`HTTP ${status} is ${faultCode}`, async (t) => {
    const server = await serve(t);
    server.intercept = (_, response) => {
      response.writeHead(status).end('no');
      return true;
    };
    await failsWith(t, faultCode, fetch(server.url));
  });
}

for (const challenge of ['Basic realm="f"', 'Digest realm="f", nonce="n", qop="auth"']) {
  test(`credentials are used where they are asked for: ${challenge.slice(0, 6)}`, async (t) => {
    const server = await serve(t);
    const seen: (string | undefined)[] = [];
    server.intercept = ({ headers }, response) => {
      seen.push(headers.authorization?.split(' ')[0]);
      if (headers.authorization !== undefined) return false;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
      return true;
    };
    await fetch(server.url, { credentials: { username: 'u', password: 'p' } });
    t.deepEqual(seen, [undefined, challenge.split(' ')[0]]);
  });
}

test('each request of a Digest authentication has a count of its own, also where a transfer is taken up again', async (t) => {
  const server = await serve(t);
  server.breaks = 1;
  server.breakAfterBytes = 100_000;
  const counts: (string | undefined)[] = [];
  server.intercept = ({ headers }, response) => {
    if (headers.authorization !== undefined) {
      counts.push(/nc=(\d+)/.exec(headers.authorization)?.[1]);
      return false;
    }
    response.writeHead(401, { 'WWW-Authenticate': 'Digest realm="f", nonce="n", qop="auth"' }).end();
    return true;
  };
  await fetch(server.url, { credentials: { username: 'u', password: 'p' } });
  t.deepEqual(counts, ['00000001', '00000002']);
});

test('a changed byte, another size than announced, and a file that is no image are 9018', async (t) => {
  const server = await serve(t);
  server.file = Buffer.from(image);
  server.file[200_000] = (image[200_000] ?? 0) ^ 1;
  await failsWith(t, 9018, fetch(server.url));
  server.file = image;
  await failsWith(t, 9018, fetch(server.url, { fileSizeBytes: 299_999 }));
  server.file = Buffer.alloc(300_000, 'x');
  await failsWith(t, 9018, fetch(server.url));
});

test('an image larger than the flash is 9010, whether its size is told or not', async (t) => {
  const server = await serve(t);
  await failsWith(t, 9010, fetch(server.url, { imageBytesMax: 299_999 }));
  server.intercept = (_, response) => {
    response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end(image);
    return true;
  };
  await failsWith(t, 9010, fetch(server.url, { imageBytesMax: 299_999 }));
});

test('a redirect is followed, but not for ever and not to another scheme', async (t) => {
  const server = await serve(t);
  let location = '/there.bin';
  server.intercept = (request, response) => {
    if (request.url === '/there.bin') return false;
    response.writeHead(302, { Location: location }).end();
    return true;
  };
  t.like(await fetch(server.url), { softwareVersion: '2.0.0' });
  location = '/firmware.bin';
  await failsWith(t, 9016, fetch(server.url));
  location = 'file:///etc/passwd';
  await failsWith(t, 9016, fetch(server.url));
});

test('a server that falls silent is left, and the transfer taken up again', async (t) => {
  const server = await serve(t);
  server.intercept = (request, response) => {
    if (request.headers.range !== undefined) return false;
    response.writeHead(200, { 'Content-Length': image.length, ETag: server.etag });
    response.write(image.subarray(0, 1_000));
    return true;
  };
  t.like(await fetch(server.url, { idleMsMax: 300 }), { softwareVersion: '2.0.0', resumes: 1 });
  t.deepEqual(server.ranges, ['', 'bytes=1000-']);
});

test('switched off, a download ends with the reason', async (t) => {
  const server = await serve(t);
  const controller = new AbortController();
  server.intercept = (_, response) => {
    response.writeHead(200, { 'Content-Length': image.length });
    response.write(image.subarray(0, 1_000), () => controller.abort(new Error('off')));
    return true;
  };
  await t.throwsAsync(fetch(server.url, { signal: controller.signal }), { message: 'off' });
});
