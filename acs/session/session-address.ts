import { networkOf } from '../../common/index.js';

/** Whether two addresses are of one client, as far as addresses tell: the same one, or of IPv6 the same /64. */
export function isSameClient(one: string, another: string): boolean {
  return one === another || networkOf(one) === networkOf(another);
}
