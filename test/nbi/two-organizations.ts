import type { ExecutionContext } from 'ava';
import type { Device } from '../../acs/index.js';
import { byCommand } from '../../events/index.js';
import { hashPassword } from '../../nbi/users/password.js';
import { ROLES, type Role, USERS, type UserDocument } from '../../nbi/users/user.js';
import type { Organization } from '../../organizations/index.js';
import { startNbi, type TestNbi, type TestNbiOptions } from './support.js';

const PASSWORD = 'a test password';
/** Hashed once for all users of a file. */
const hashed = hashPassword(PASSWORD);

/** Credentials of the user of each role, as `RequestOptions.as` takes them. */
export type Users = Readonly<Record<Role, string>>;

export interface TwoOrganizations extends TestNbi {
  readonly north: Organization;
  readonly south: Organization;
  readonly as: { readonly north: Users; readonly south: Users; readonly installation: Users };
  /** Both of them are removed, or one, with their users. */
  remove(...organizations: readonly Organization[]): Promise<void>;
  /** A CPE that belongs to one of them by an operator's word. */
  putDeviceOf(
    organization: Organization,
    device: Partial<Device> & { readonly serialNumber: string },
  ): Promise<Device>;
}

/** The northbound side of an installation with two organizations beside the default, and a user of each role in each and of the installation. */
export async function startWithTwo(
  t: ExecutionContext,
  options: TestNbiOptions = {},
): Promise<TwoOrganizations> {
  const nbi = await startNbi(t, options);
  const by = byCommand('test');
  const add = (slug: string) => nbi.organizations.add({ name: slug, slug }, by);
  const [north, south] = [await add('north'), await add('south')];
  const users = nbi.store.collection<UserDocument>(USERS);
  const usersOf = async (organization: Organization | null): Promise<Users> => {
    const credentials: Partial<Record<Role, string>> = {};
    for (const role of ROLES) {
      const id = organization === null ? `${role}.all` : `${role}@${organization.slug}`;
      await users.put({
        id,
        role,
        ...(organization !== null && { organization: organization.id }),
        password: await hashed,
        createdAtMs: 0,
      });
      credentials[role] = `${id}:${PASSWORD}`;
    }
    return credentials as Users;
  };
  const as = {
    north: await usersOf(north),
    south: await usersOf(south),
    installation: await usersOf(null),
  };
  return {
    ...nbi,
    north,
    south,
    as,
    async remove(...organizations) {
      for (const { id, slug } of organizations) {
        await Promise.all(ROLES.map((role) => users.delete(`${role}@${slug}`)));
        await nbi.organizations.remove(id, by);
      }
    },
    putDeviceOf: ({ id }, device) => nbi.putDevice({ ...device, organization: { id, by: 'hand' } }),
  };
}
