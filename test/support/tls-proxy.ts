import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { until } from './ferry.js';
import { freePorts } from './ferry-process.js';

export interface TlsProxy {
  readonly port: number;
  /** The file that clients verify it by. */
  readonly certificate: string;
}

/** Starts nginx with TLS, with a certificate of its own for all names of a domain, in front of a northbound listener. */
export async function startTlsProxy(
  t: ExecutionContext,
  program: string,
  { domain, to }: { readonly domain: string; readonly to: string },
): Promise<TlsProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-tls-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  // Workers of nginx are another user where it was started by root.
  await chmod(directory, 0o755);
  const [key, certificate, file] = ['key.pem', 'certificate.pem', 'nginx.conf'].map((name) =>
    join(directory, name),
  );
  if (key === undefined || certificate === undefined || file === undefined) throw new Error('no file');
  const subject = ['-subj', `/CN=*.${domain}`, '-addext', `subjectAltName=DNS:*.${domain}`];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate];
  await promisify(execFile)('openssl', ['req', '-x509', ...made, ...subject]);
  const { nbi: port } = await freePorts();
  await writeFile(file, configuration({ port, certificate, key, to, directory }));
  const child = spawn(
    program,
    ['-p', directory, '-c', file, '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
    if (!t.passed) t.log(said);
  });
  await until('nginx takes connections', async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    return isOpen(port);
  });
  return { port, certificate };
}

/** As deploy/nginx.conf has it, with TLS as docs/operating.md asks for. */
function configuration({
  port,
  certificate,
  key,
  to,
  directory,
}: Readonly<Record<'certificate' | 'key' | 'to' | 'directory', string>> & { readonly port: number }): string {
  return `
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${directory}/${what};`).join('\n  ')}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    client_max_body_size 0;
    location / {
      proxy_pass ${to};
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}
`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}
