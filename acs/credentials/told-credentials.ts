import { type OrganizationId, SECOND_MS } from '../../common/index.js';
import type { Happening } from '../../events/index.js';
import type { Stored } from '../../store/index.js';
import type { CpeCredential } from './credential.js';

/** Credentials that are stored in the place of others, or of none. */
export interface Given {
  readonly before: Stored<CpeCredential> | null;
  readonly after: CpeCredential;
}

type Told = Omit<Happening, 'by'>;
type Organization = OrganizationId | null;

/** As the subject of an event about credentials of many CPEs, which has no id. */
const MANY = '*';

/**
 * What the log of events says of credentials that are given together, for each organization that any of their CPEs belongs to: of one what
 * CpeAuthStorage shows, of more how many and which are the first and the last. A million lines of a file are no million events.
 * @param organizations  of the CPE of each
 */
export function toldGiven(
  given: readonly Given[],
  organizations: readonly Organization[],
  file: string | undefined,
): readonly Told[] {
  const byOrganization = new Map<Organization, Given[]>();
  for (const [index, each] of given.entries()) {
    const organization = organizations[index] ?? null;
    const its = byOrganization.get(organization);
    if (its === undefined) byOrganization.set(organization, [each]);
    else its.push(each);
  }
  return [...byOrganization].map(([organization, its]) => ({ ...toldTogether(its, file), organization }));
}

function toldTogether(given: readonly Given[], file: string | undefined): Told {
  const [first, ...others] = given;
  const last = others.at(-1);
  const from = file !== undefined && { file };
  if (first === undefined || last === undefined) {
    const { before = null, after } = first ?? {};
    return {
      action: before === null ? 'added' : 'changed',
      subject: 'cpe-credentials',
      subjectId: after?.id ?? '',
      before: before && shown(before.document),
      after: after === undefined ? null : { ...shown(after), ...from },
    };
  }
  return {
    action: given.some(({ before }) => before !== null) ? 'changed' : 'added',
    subject: 'cpe-credentials',
    subjectId: MANY,
    after: { count: given.length, first: first.after.cpeid, last: last.after.cpeid, ...from },
  };
}

export function toldRemoved(credential: CpeCredential, organization: Organization): Told {
  return {
    action: 'removed',
    subject: 'cpe-credentials',
    subjectId: credential.id,
    organization,
    before: shown(credential),
  };
}

/** Never a password; that it is another is seen by when it was given. */
function shown({ id, cpeid, formerly, passwords, provenMs }: CpeCredential) {
  return {
    username: id,
    cpeid,
    formerly,
    proven: provenMs !== undefined,
    since: Math.floor((passwords[0]?.sinceMs ?? 0) / SECOND_MS),
  };
}
