import { lookup } from 'node:dns/promises';
import { type BlockList, isIP } from 'node:net';
import { isListed, subnetList } from '../../common/index.js';
import { SourceError } from './source-error.js';

export const SOURCE_URL_CHARACTERS_MAX = 2_048;

/** Where a request for an image goes: the address is resolved once and pinned, so that a name cannot change between check and use. */
export interface PinnedSource {
  readonly url: URL;
  readonly address: string;
}

/** From where images may be fetched: addresses that the operator has permitted, and no others, whatever names or redirects say. */
export class SourcePolicy {
  readonly #permitted: BlockList;
  /** Nothing is fetched. */
  readonly isOff: boolean;

  /** @param subnets  none: nothing is fetched */
  constructor(subnets: readonly string[]) {
    this.#permitted = subnetList(subnets);
    this.isOff = subnets.length === 0;
  }

  /**
   * What an address in words can be, before anything is resolved.
   * @throws SourceError `fetching-off`, `wrong-url`
   */
  check(text: string): URL {
    if (this.isOff)
      throw new SourceError('fetching-off', 'nothing is fetched here: --image-sources permits addresses');
    if (text.length > SOURCE_URL_CHARACTERS_MAX)
      throw wrongUrl(`one of at most ${SOURCE_URL_CHARACTERS_MAX} characters`);
    if (!URL.canParse(text)) throw wrongUrl('a whole one');
    const url = new URL(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongUrl('one of http or https');
    if (url.username !== '' || url.password !== '') throw wrongUrl('one without a user and password in it');
    return url;
  }

  /** @throws SourceError `fetching-off`, `wrong-url`, `unresolved`, `refused-address` */
  async pin(text: string): Promise<PinnedSource> {
    const url = this.check(text);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) === 0 ? await resolved(host) : [host];
    const address = addresses.find((candidate) => isListed(this.#permitted, candidate));
    if (address !== undefined) return { url, address };
    throw new SourceError(
      'refused-address',
      // Not which: whoever uploads is not to learn what names mean inside.
      `${host} is not at an address that --image-sources permits`,
    );
  }
}

async function resolved(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw new SourceError('unresolved', `the host ${host} cannot be resolved`);
  }
}

function wrongUrl(expected: string): SourceError {
  return new SourceError('wrong-url', `the URL must be ${expected}`);
}
