import type { DownloadLocator, FileAuth, ImageLibrary, PublicUrl } from '../firmware/index.js';
import type { ResolveFile, SigningOfFile } from '../rules/index.js';
import { parseCredentials, parseFileUrl } from './config.js';
import type { Config } from './options.js';

export function fileAuth(config: Config): FileAuth {
  const credentials = parseCredentials(config.fileAuth);
  return credentials === null ? { kind: 'token' } : { kind: 'credentials', ...credentials };
}

/** As configured: `SUBNET=URL` for one subnet, the URL without a subnet for all others. */
export function publicUrls(config: Config, fallback: string): PublicUrl {
  const subnets: { subnet: string; url: string }[] = [];
  let rest = fallback;
  for (const entry of config.publicFileUrl) {
    const { subnet, url } = parseFileUrl(entry);
    if (subnet === null) rest = url;
    else subnets.push({ subnet, url });
  }
  return [...subnets, { subnet: 'default', url: rest }];
}

/** What rules need to know of signatures: whether the file they name is an image that is signed, and whether it must be. */
export function signingBy(
  locator: Pick<DownloadLocator, 'resolve'>,
  images: Pick<ImageLibrary, 'signing'>,
  { requireSignature }: Pick<Config, 'requireSignature'>,
): { readonly signingOf: SigningOfFile; readonly requireSignature: boolean } {
  return {
    requireSignature,
    async signingOf(file, organization) {
      const resolved = await locator.resolve(file, organization);
      if (resolved === null) return { isSigned: false, detail: 'there is no such image' };
      if ('image' in resolved) return images.signing(resolved.image);
      return { isSigned: false, detail: 'the file is elsewhere, and no image of the library' };
    },
  };
}

/** What rules need to know of the file they name. */
export function resolvingBy(locator: Pick<DownloadLocator, 'resolve'>): ResolveFile {
  return async (file, organization) => {
    const resolved = await locator.resolve(file, organization);
    if (resolved === null) return null;
    return 'image' in resolved ? resolved.image : {};
  };
}
