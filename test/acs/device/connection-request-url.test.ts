import test from 'ava';
import fc from 'fast-check';
import {
  hostOf,
  moveBetween,
  withUrlNoted,
  withUrlTrusted,
} from '../../../acs/device/connection-request-url.js';
import type { Device } from '../../../acs/device/device.js';
import type { CpeId } from '../../../common/index.js';

const BLANK: Device = {
  id: 'A-1' as CpeId,
  manufacturer: 'M',
  oui: 'A',
  productClass: '',
  serialNumber: '1',
  root: 'Device',
  namespace: 'urn:dslforum-org:cwmp-1-2',
  ip: '192.0.2.1',
  provisioning: 'done',
  registeredMs: 1,
  lastInformMs: 1,
  lastEvents: [],
  tags: [],
  counts: {},
  informDigest: '',
};

/** A CPE that has reported these URLs, one after the other at 1, 2, 3 …; undefined: one that was refused. */
function reporting(...urls: readonly (string | undefined)[]): Device {
  return urls.reduce<Device>((before, url, index) => {
    const { connectionRequestUrl: _, ...rest } = before;
    const after = url === undefined ? rest : { ...rest, connectionRequestUrl: url };
    return withUrlNoted(before, after, index + 1);
  }, BLANK);
}

const movedAt = (...urls: readonly (string | undefined)[]) => reporting(...urls).connectionRequestMovedMs;

test('another host is a move, by name or address', (t) => {
  t.is(movedAt('http://192.0.2.1/', 'http://192.0.2.2/'), 2);
  t.is(movedAt('http://192.0.2.1/', 'http://cpe.example/'), 2);
  t.is(movedAt('http://a.example/', 'http://b.example/'), 2);
  t.is(movedAt('http://[2001:db8::1]/', 'http://[2001:db8::2]/'), 2);
  t.deepEqual(moveBetween(reporting('http://192.0.2.1/'), reporting('http://[::ffff:192.0.2.2]:80/')), {
    from: '192.0.2.1',
    to: '192.0.2.2',
  });
});

test('the first URL is no move, nor is another port, path or scheme, nor the same host in another spelling', (t) => {
  const same: readonly (readonly string[])[] = [
    ['http://192.0.2.1:7547/a', 'http://192.0.2.1:58000/b?c', 'https://192.0.2.1/'],
    ['http://192.0.2.1/', 'http://[::ffff:192.0.2.1]/', 'http://[::FFFF:C000:201]/'],
    ['http://[2001:db8::1]/', 'http://[2001:0DB8:0::0:1]:7547/'],
    ['http://cpe.example/', 'http://CPE.Example:7547/', 'http://cpe.example./'],
    ['', 'http://192.0.2.1/'],
  ];
  for (const urls of same) t.is(movedAt(...urls), undefined, urls.join(' '));
});

test('a URL in between that names no host hides no move, and makes none', (t) => {
  for (const without of ['', 'x', 'http://', 'mailto:a@b.example', undefined]) {
    t.is(movedAt('http://192.0.2.1/', without, 'http://192.0.2.1/'), undefined, without);
    t.is(movedAt('http://192.0.2.1/', without, 'y', without, 'http://192.0.2.2/'), 5, without);
    t.is(movedAt('http://192.0.2.1/', 'http://192.0.2.2/', without), 2, without);
  }
  t.false('connectionRequestHost' in reporting('http://192.0.2.1/', '', 'http://192.0.2.1/'));
});

test('coming back to where it was before does not undo a move', (t) => {
  t.is(movedAt('http://192.0.2.1/', 'http://192.0.2.2/', 'http://192.0.2.1/'), 3);
});

test('where somebody vouches for a URL it has not moved, and the next move is one again', (t) => {
  const trusted = withUrlTrusted(reporting('http://192.0.2.1/', 'http://192.0.2.2/'));
  t.false('connectionRequestMovedMs' in trusted);
  const next = withUrlNoted(trusted, { ...trusted, connectionRequestUrl: 'http://192.0.2.1/' }, 9);
  t.is(next.connectionRequestMovedMs, 9);
});

test('whatever a CPE reports in between, it has moved where the last host is not the first', (t) => {
  const url = fc.constantFrom(
    '',
    'x',
    undefined,
    'http://192.0.2.1/a',
    'http://192.0.2.2/',
    'http://b.example:1/',
  );
  fc.assert(
    fc.property(fc.array(url, { maxLength: 8 }), (urls) => {
      const hosts = urls.map(hostOf).filter((host) => host !== null);
      const isMoved = new Set(hosts).size > 1;
      t.is(movedAt(...urls) !== undefined, isMoved);
    }),
  );
});
