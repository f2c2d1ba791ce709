import { isIP } from 'node:net';
import fc from 'fast-check';

/** Two spellings of one address: case, leading zeros, zeros written out, IPv4 mapped into IPv6 with and without dots. */
export function spellingsOf(addresses: fc.Arbitrary<string>): fc.Arbitrary<readonly [string, string]> {
  return addresses.chain((address) => fc.tuple(spellingOf(address), spellingOf(address)));
}

export function spellingOf(address: string): fc.Arbitrary<string> {
  const [first, ...others] = isIP(address) === 4 ? spellingsOfIpv4(address) : spellingsOfIpv6(address);
  return fc.constantFrom(first ?? address, ...others);
}

function spellingsOfIpv4(address: string): string[] {
  const hex = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  const groups = `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
  return [
    address,
    `::ffff:${address}`,
    `::FFFF:${address}`,
    `0:0:0:0:0:ffff:${address}`,
    `::ffff:${groups}`,
    `0000:0000:0000:0000:0000:FFFF:${groups.toUpperCase()}`,
  ];
}

function spellingsOfIpv6(address: string): string[] {
  const groups = groupsOf(address).map((group) => Number.parseInt(group, 16).toString(16));
  const long = groups.map((group) => group.padStart(4, '0')).join(':');
  return [address, groups.join(':'), long, long.toUpperCase(), `${address}%eth0`];
}

/** All eight. */
function groupsOf(address: string): string[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, a, b, c, d] = (dotted ?? []).map(Number);
  const plain =
    dotted === null
      ? address
      : address.slice(0, dotted.index) +
        `${((a ?? 0) * 256 + (b ?? 0)).toString(16)}:${((c ?? 0) * 256 + (d ?? 0)).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
}
