import test from 'ava';
import fc from 'fast-check';
import { Admission, type Admitted, clientOf } from '../../../nbi/http/admission.js';
import { ApiError } from '../../../nbi/http/index.js';
import { NBI_LIMITS } from '../../../nbi/index.js';

const LIMITS = {
  ...NBI_LIMITS,
  requestsMax: 5,
  requestsPerClientMax: 3,
  bodiesBytesMax: 100,
  bodiesBytesPerClientMax: 60,
  reservedMax: 3,
  reservedPerClientMax: 2,
};

const entering = fc.record({
  kind: fc.constant('enter' as const),
  client: fc.constantFrom('user ann', 'user bob', 'at 192.0.2.1'),
  reservedFor: fc.constantFrom(null, null, '/brake', '/metrics'),
  bodyBytes: fc.constantFrom(0, 10, 30, 60, 100),
});
const leaving = fc.record({
  kind: fc.constantFrom('leave' as const, 'drop' as const),
  which: fc.nat({ max: 20 }),
});

/** Who has not logged in asks for what is open. */
const isOpen = ({ client }: { readonly client: string }) => client.startsWith('at ');
const roomOf = (of: { readonly client: string; readonly reservedFor: string | null }) =>
  of.reservedFor ?? (isOpen(of) ? 'open' : 'users');

test('whatever comes and goes, however often it leaves, nobody has more than one may, nor all together, nor is anyone turned away without need', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(entering, leaving), { maxLength: 60 }), (steps) => {
      const admission = new Admission(LIMITS);
      const all: {
        admitted: Admitted;
        place: boolean;
        bytes: boolean;
        of: typeof entering extends fc.Arbitrary<infer E> ? E : never;
      }[] = [];
      for (const step of steps) {
        if (step.kind !== 'enter') {
          const one = all[step.which];
          if (step.kind === 'leave') one?.admitted.leave();
          else one?.admitted.dropBody();
          if (one !== undefined && step.kind === 'leave') one.place = false;
          if (one !== undefined && step.kind === 'drop') one.bytes = false;
          continue;
        }
        const { client, reservedFor, bodyBytes } = step;
        const there = all.filter(({ place, of }) => place && roomOf(of) === roomOf(step));
        const own = there.filter(({ of }) => of.client === client);
        const bodies = all.filter(({ bytes, of }) => bytes && of.reservedFor === null);
        const sum = (some: typeof all) => some.reduce((bytes, { of }) => bytes + of.bodyBytes, 0);
        const ownMax = reservedFor === null ? LIMITS.requestsPerClientMax : LIMITS.reservedPerClientMax;
        const allMax = reservedFor === null ? LIMITS.requestsMax : LIMITS.reservedMax;
        const ownBytes = sum(bodies.filter(({ of }) => of.client === client)) + bodyBytes;
        const isOwn =
          own.length >= ownMax ||
          (there.length < allMax && reservedFor === null && ownBytes > LIMITS.bodiesBytesPerClientMax);
        const isAll =
          there.length >= allMax || (reservedFor === null && sum(bodies) + bodyBytes > LIMITS.bodiesBytesMax);
        try {
          const admitted = admission.enter({ client, reservedFor, isOpen: isOpen(step), bodyBytes });
          t.false(isOwn || isAll);
          all.push({ admitted, place: true, bytes: true, of: step });
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          t.is(error.status, isOwn ? 429 : 503);
          t.true(isOwn || isAll);
          t.truthy(error.headers['Retry-After']);
        }
      }
      for (const { admitted } of all) {
        admitted.leave();
        admitted.dropBody();
      }
      t.is(admission.requests, 0);
    }),
  );
});

test('who is counted is the user, and where there is none the address, of IPv6 the /64', (t) => {
  const user = { name: 'ann', role: 'viewer', createdAtMs: 0 } as const;
  t.is(clientOf(user, '192.0.2.1'), clientOf(user, '192.0.2.2'));
  t.not(clientOf(null, '192.0.2.1'), clientOf(null, '192.0.2.2'));
  t.is(clientOf(null, '2001:db8::1'), clientOf(null, '2001:db8::2'));
});
