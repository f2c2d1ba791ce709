import { BlockList, isIP } from 'node:net';

/** An argument that a function added to JSONata cannot work with; shown as the explanation of a condition error. */
export class FunctionArgumentError extends Error {
  override readonly name: string = 'FunctionArgumentError';
}

/** An argument so large that the call would cost too much. */
export class ArgumentBoundError extends FunctionArgumentError {
  override readonly name = 'ArgumentBoundError';
}

/**
 * True where `address` lies in the subnet, e.g. `inSubnet('10.1.2.3', '10.0.0.0/8')`. IPv4 and IPv6; an IPv4 address
 * written the IPv6 way (`::ffff:10.1.2.3`), as dual-stack sockets report it, counts as IPv4.
 * @throws FunctionArgumentError when `cidr` is no subnet; an `address` that is none is merely in no subnet
 */
export function inSubnet(address: string, cidr: string): boolean {
  const { network, prefix, family } = parseSubnet(cidr);
  const plain = unmapped(address);
  if (isIP(plain) !== family) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(plain, type);
}

function parseSubnet(cidr: string): { network: string; prefix: number; family: 4 | 6 } {
  const [network = '', prefixText = '', ...rest] = cidr.split('/');
  const version = isIP(network);
  const prefix = /^[0-9]{1,3}$/.test(prefixText) ? Number(prefixText) : -1;
  if (rest.length > 0 || version === 0 || prefix < 0 || prefix > (version === 4 ? 32 : 128)) {
    throw new FunctionArgumentError(
      `$inSubnet: ${JSON.stringify(cidr.slice(0, 64))} is no subnet; write it like "10.0.0.0/8" or "2001:db8::/32"`,
    );
  }
  return { network, prefix, family: version === 4 ? 4 : 6 };
}

function unmapped(address: string): string {
  return /^::ffff:(?<v4>[0-9.]+)$/i.exec(address)?.groups?.['v4'] ?? address;
}
