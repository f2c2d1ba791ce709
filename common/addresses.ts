import { BlockList, isIP, SocketAddress } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * An address in the one way in which Ferry writes and compares it: IPv6 as RFC 5952 has it and without its zone, an IPv4 address
 * that is mapped into IPv6, in whatever spelling, as IPv4. What is no address stays as it is.
 */
export function plainAddress(address: string): string {
  // So node gives nearly every one: as IPv4, or so mapped where a socket is for both.
  if (!address.includes(':')) return address;
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined && isIP(mapped) === 4) return mapped;
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (isIP(bare) !== 6) return address;
  const plain = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return MAPPED.exec(plain)?.[1] ?? plain;
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;
/** How many of them come before an IPv4 address that is mapped into IPv6. */
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;

/**
 * A list of subnets in CIDR notation; a bare address is a subnet of one.
 * @throws Error that names the entry that is none
 */
export function subnetList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits, ...more] = subnet.split('/');
    const written = isIP(address);
    const bitsMax = written === 4 ? IPV4_BITS : IPV6_BITS;
    const prefix = bits === undefined ? bitsMax : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (written === 0 || more.length > 0 || !(prefix >= 0 && prefix <= bitsMax)) {
      throw new Error(`"${subnet}" is not a subnet; write an address or CIDR notation, as in 192.0.2.0/24`);
    }
    const plain = plainAddress(address);
    const isMapped = written === 6 && isIP(plain) === 4 && prefix >= MAPPED_BITS;
    if (isMapped) list.addSubnet(plain, prefix - MAPPED_BITS, 'ipv4');
    else
      list.addSubnet(written === 4 ? address : withoutZone(address), prefix, written === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? address;
}

/** Whether `address` is in the list; an IPv4 address mapped into IPv6 counts as IPv4. */
export function isListed(list: BlockList, address: string): boolean {
  const plain = plainAddress(address);
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

const IPV6_GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * What clients are counted by: an IPv4 address by itself; of IPv6 the /64, as a host has a whole one to itself and its last 64 bits
 * say nothing.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const end = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end stands for two groups.
  const written = groups.length + end.length + (end.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = Array.from({ length: tail === undefined ? 0 : IPV6_GROUPS - written }, () => '0');
  return `${plainAddress(`${[...groups, ...zeros, ...end].slice(0, NETWORK_GROUPS).join(':')}::`)}/64`;
}
