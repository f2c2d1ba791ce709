import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['acs', 'cli', 'common', 'events', 'firmware', 'nbi', 'rollout', 'rules', 'store'];

/** Where documents are declared, and the fields there whose names say that something ends or is due then, or outdoes what is earlier. */
const DECLARES = /extends Document\b|: CollectionDefinition = /;
const FIELD = /\b(\w*(?:[uU]ntil|[dD]eadline|[eE]xpires|[dD]ue|[nN]otBefore|lastInform)\w*Ms)\??: number/g;

/**
 * Every stored time at which something ends, or that keeps out what is earlier, and what keeps it from being believed where the clock was ahead that it was stored by. Times
 * at which something began are believed likewise where they keep something from being done: `lastEndedMs` of a rule's count
 * (rules/decision/gates.ts), `savedAtMs` of waking (acs/wake/waker.ts). What only lives in a process elapses, by its monotonic clock; what
 * people say (windows, `validFrom`, the age of results) is the calendar's.
 */
const CONSIDERED: Readonly<Record<string, string>> = {
  'acs/credentials/credential.ts readmitUntilMs': 'stillHolds, READMISSION_MS',
  // Also for isHeardSince, and for who has come in FleetRound.
  'acs/device/device.ts lastInformMs': 'isAhead, by DeviceStore',
  'acs/device/device.ts requestedUntilMs': 'stillHolds, REQUESTED_MS',
  // Of failedPaths and unansweredPaths a day, in unread.ts; of a conclusion FALLS_BACK_WITHIN_MS, in marks.ts.
  'acs/device/device.ts untilMs': 'stillHolds',
  'acs/session/shared/session-document.ts expiresAtMs': 'SessionTimes.isOpen',
  'acs/session/shared/session-document.ts untilMs': 'stillHolds, CLAIM_MS',
  'acs/upgrade/upgrade.ts deadlineAtMs': 'withDeadlineFrom, by the sweeper',
  'acs/upgrade/upgrade.ts doubtUntilMs': 'stillHolds, DOUBT_MS_MAX',
  'acs/upgrade/upgrade.ts doubtUntilPeriodicMs': 'stillHolds, DOUBT_MS_MAX',
  'firmware/uploads/upload.ts untilMs': 'stillHolds, CLAIM_MS',
  'nbi/users/token.ts expiresAtMs': 'stillHolds, TOKEN_MS_MAX, by TokenVerifier',
  'rules/campaign/campaign.ts untilMs': 'stillHolds, RESERVE_MS',
  'store/lease.ts untilMs': 'stillHolds, the duration that is asked for',
};

test('every stored time that ends something, or keeps something out, is believed only as far as its own duration from now', async (t) => {
  const found = new Set<string>();
  for (const folder of FOLDERS) {
    const entries = await readdir(`${ROOT}${folder}`, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter(({ name }) => name.endsWith('.ts'))) {
      const path = `${entry.parentPath}/${entry.name}`;
      const text = await readFile(path, 'utf8');
      if (!DECLARES.test(text)) continue;
      for (const [, field] of text.matchAll(FIELD)) found.add(`${path.slice(ROOT.length)} ${field}`);
    }
  }
  t.deepEqual([...found].sort(), Object.keys(CONSIDERED).sort(), 'consider it, and say here by what');
});
