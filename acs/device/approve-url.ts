import { type Clock, type CpeId, type Logger, SECOND_MS } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { Store } from '../../store/index.js';
import { hostOf, withUrlTrusted } from './connection-request-url.js';
import { DeviceStore } from './device-store.js';
import { toldUrl } from './told-device.js';

export type UrlApproval =
  /** `changed`: until then it counted as moved. */
  | { readonly kind: 'approved'; readonly url: string; readonly changed: boolean }
  | { readonly kind: 'unknown-cpe' }
  /** The URL names another host by now, or none. */
  | { readonly kind: 'elsewhere'; readonly host: string | null };

/**
 * Takes an operator's word that a CPE's ConnectionRequestURL, which has moved, is its own. For any process.
 * @param host  the one that the operator means: whoever poses as the CPE may have moved it again meanwhile
 * @throws StoreError
 */
export async function approveConnectionRequestUrl(
  parts: { readonly store: Store; readonly clock: Clock; readonly logger: Logger },
  cpeid: CpeId,
  host: string,
  by: Actor,
): Promise<UrlApproval> {
  const devices = new DeviceStore(parts);
  const events = new EventLog(parts);
  try {
    let approval: UrlApproval = { kind: 'unknown-cpe' };
    const organizations = await devices.organizations();
    await devices.change(cpeid, (stored) => {
      approval = { kind: 'unknown-cpe' };
      if (stored === null) return null;
      const { connectionRequestUrl: url, connectionRequestMovedMs } = stored.document;
      const found = hostOf(url);
      if (url === undefined || found === null || found !== hostOf(`http://${bracketed(host)}/`)) {
        approval = { kind: 'elsewhere', host: found };
        return null;
      }
      approval = { kind: 'approved', url, changed: connectionRequestMovedMs !== undefined };
      if (connectionRequestMovedMs === undefined) return null;
      const noting = events.noting({
        action: 'url-approved',
        subject: 'device',
        subjectId: cpeid,
        organization: organizations.idOf(stored.document.organization?.id),
        by,
        before: { connectionRequestMoved: Math.floor(connectionRequestMovedMs / SECOND_MS) },
        after: { connectionRequestUrl: toldUrl(url) },
      });
      return { device: withUrlTrusted(stored.document), with: [noting] };
    });
    return approval;
  } finally {
    await devices.close();
  }
}

/** An IPv6 address may be given as it stands in a URL, or without the brackets. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
