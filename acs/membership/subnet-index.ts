import { isIP } from 'node:net';
import { plainAddress } from '../../common/index.js';

const IPV4_BITS = 32;
const IPV6_BITS = 128;
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;
const GROUP_BITS = 16n;
const GROUPS = 8;
/** What stands before an IPv4 address that is mapped into IPv6. */
const MAPPED = 0xffffn << 32n;

/** By prefix length, by the bits of the prefix: the rank of the first subnet that has them. */
type Ranks = Map<number, Map<bigint, number>>;

/** Of many subnets, in an order, the first that an address is in: a look-up for each length of prefix there is, not for each subnet. */
export class SubnetIndex {
  readonly #ranks: { readonly 4: Ranks; readonly 6: Ranks } = { 4: new Map(), 6: new Map() };

  /** @param subnet  an address or CIDR notation, as `subnetList` takes it */
  add(subnet: string, rank: number): void {
    const [written = '', bits] = subnet.split('/');
    const plain = plainAddress(written);
    const isMapped = isIP(written) === 6 && isIP(plain) === 4;
    const bitsMax = isIP(written) === 4 ? IPV4_BITS : IPV6_BITS;
    const prefix = bits === undefined ? bitsMax : Number(bits);
    // Shorter than what stands before a mapped address it is a part of IPv6, where no such address is compared.
    if (isMapped && prefix >= MAPPED_BITS) this.#add(4, valueOf4(plain), prefix - MAPPED_BITS, rank);
    else if (isMapped) this.#add(6, valueOf6(written), prefix, rank);
    else if (isIP(plain) === 4) this.#add(4, valueOf4(plain), prefix, rank);
    else this.#add(6, valueOf6(plain), prefix, rank);
  }

  #add(family: 4 | 6, value: bigint, prefix: number, rank: number): void {
    const ranks = this.#ranks[family].get(prefix) ?? new Map<bigint, number>();
    this.#ranks[family].set(prefix, ranks);
    const key = value >> BigInt(bitsOf(family) - prefix);
    ranks.set(key, Math.min(ranks.get(key) ?? rank, rank));
  }

  /** @returns the smallest rank, or infinity where the address is in none; as of `isListed`, wide subnets of IPv6 hold all of IPv4 */
  rankOf(address: string): number {
    const plain = plainAddress(address);
    const family = isIP(plain);
    if (family === 6) return leastOf(this.#ranks[6], IPV6_BITS, () => valueOf6(plain));
    if (family !== 4) return Number.POSITIVE_INFINITY;
    return Math.min(
      leastOf(this.#ranks[4], IPV4_BITS, () => valueOf4(plain)),
      leastOf(this.#ranks[6], IPV6_BITS, () => MAPPED | valueOf4(plain)),
    );
  }
}

function leastOf(byPrefix: Ranks, bits: number, read: () => bigint): number {
  let least = Number.POSITIVE_INFINITY;
  if (byPrefix.size === 0) return least;
  const value = read();
  for (const [prefix, ranks] of byPrefix) {
    const rank = ranks.get(value >> BigInt(bits - prefix));
    if (rank !== undefined && rank < least) least = rank;
  }
  return least;
}

function bitsOf(family: 4 | 6): number {
  return family === 4 ? IPV4_BITS : IPV6_BITS;
}

function valueOf4(address: string): bigint {
  return BigInt(address.split('.').reduce((value, part) => value * 256 + Number(part), 0));
}

function valueOf6(address: string): bigint {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from(
    { length: tail === undefined ? 0 : GROUPS - before.length - after.length },
    () => 0n,
  );
  return [...before, ...zeros, ...after].reduce((value, group) => (value << GROUP_BITS) | group, 0n);
}

/** An IPv4 address at the end stands for two groups. */
function groupsOf(text: string): readonly bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const value = valueOf4(group);
    return [value >> GROUP_BITS, value & 0xffffn];
  });
}
