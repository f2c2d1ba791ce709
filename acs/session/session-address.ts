import { BlockList, isIPv6 } from 'node:net';
import { plainAddress } from '../connection-request/address-policy.js';

/** An IPv6 host has a whole /64 to itself, and changes its address within it. */
const IPV6_PREFIX_BITS = 64;

/** Whether two addresses are of one client, as far as addresses tell: the same one, or of IPv6 the same /64. */
export function isSameClient(one: string, another: string): boolean {
  const [left, right] = [plainAddress(one), plainAddress(another)];
  if (left === right) return true;
  if (!isIPv6(left) || !isIPv6(right)) return false;
  const network = new BlockList();
  network.addSubnet(withoutZone(left), IPV6_PREFIX_BITS, 'ipv6');
  return network.check(withoutZone(right), 'ipv6');
}

/** `fe80::1%eth0` is an address with the name of the interface that it was seen on. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}
