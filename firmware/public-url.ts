import { BlockList, isIP } from 'node:net';

/**
 * Where CPEs reach the file server: one base URL, or one per subnet of the CPE (CIDR, IPv4 or IPv6; the first that
 * holds its address counts). The last of several has the subnet `default` and serves everyone else.
 * @example [{ subnet: '10.0.0.0/8', url: 'http://10.0.0.5:7567' }, { subnet: 'default', url: 'https://fw.example.net' }]
 */
export type PublicUrl = string | readonly { readonly subnet: string; readonly url: string }[];

export const DEFAULT_SUBNET = 'default';
const SUBNETS_MAX = 1_000;
const IPV4_IN_IPV6_PREFIX = '::ffff:';

/** The base URLs of the file server, checked. */
export interface PublicUrls {
  /** Without a slash at the end. */
  forCpe(ip: string | undefined): string;
  readonly bases: readonly string[];
}

/**
 * @param charactersMax  longest base URL: whatever is appended to it must still fit into a Download
 * @throws Error that names the entry at fault and what it should be
 */
export function parsePublicUrl(publicUrl: PublicUrl, charactersMax: number): PublicUrls {
  const entries = typeof publicUrl === 'string' ? [{ subnet: DEFAULT_SUBNET, url: publicUrl }] : publicUrl;
  if (entries.length > SUBNETS_MAX) throw new Error(`publicUrl: at most ${SUBNETS_MAX} subnets are allowed`);
  const fallback = entries.at(-1);
  if (fallback?.subnet !== DEFAULT_SUBNET) {
    throw new Error(`publicUrl: the last entry must have the subnet "${DEFAULT_SUBNET}"`);
  }
  const fallbackBase = parseBase(fallback.url, charactersMax);
  const subnets = entries.slice(0, -1).map(({ subnet, url }) => ({
    addresses: parseSubnet(subnet),
    base: parseBase(url, charactersMax),
  }));
  return {
    bases: [...subnets.map((subnet) => subnet.base), fallbackBase],
    forCpe(ip) {
      const address = ip?.toLowerCase().startsWith(IPV4_IN_IPV6_PREFIX)
        ? ip.slice(IPV4_IN_IPV6_PREFIX.length)
        : (ip ?? '');
      const family = isIP(address);
      if (family === 0) return fallbackBase;
      const type = family === 4 ? 'ipv4' : 'ipv6';
      return subnets.find((subnet) => subnet.addresses.check(address, type))?.base ?? fallbackBase;
    },
  };
}

function parseSubnet(subnet: string): BlockList {
  const [, address = '', bits = ''] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(subnet) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new Error(
      `publicUrl: ${JSON.stringify(subnet)} must be a subnet such as 10.0.0.0/8 or 2001:db8::/32, or, as the last entry, "${DEFAULT_SUBNET}"`,
    );
  }
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return addresses;
}

function parseBase(url: string, charactersMax: number): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new Error(`publicUrl: ${JSON.stringify(url)} must be an absolute http or https URL`);
  }
  if (parsed.username !== '' || parsed.password !== '' || /[?#]/.test(url)) {
    throw new Error(`publicUrl: the URL of ${parsed.host} must have no user, password, query or fragment`);
  }
  const base = `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
  if (base.length > charactersMax) {
    throw new Error(
      `publicUrl: ${base} has ${base.length} characters, at most ${charactersMax} leave room for the longest file name (a CPE takes URLs of up to 256)`,
    );
  }
  return base;
}
