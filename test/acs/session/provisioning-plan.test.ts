import test from 'ava';
import fc from 'fast-check';
import {
  firstAttempt,
  PROVISIONING_TRIES_MAX,
  type ProvisioningAnswer,
  planAfter,
  stateAfter,
  stateOnInform,
} from '../../../acs/session/provisioning-plan.js';

const ENABLE = 'Device.ManagementServer.PeriodicInformEnable';
const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval';
const USERNAME = 'Device.ManagementServer.ConnectionRequestUsername';
const PASSWORD = 'Device.ManagementServer.ConnectionRequestPassword';
const ALL = [ENABLE, INTERVAL, USERNAME, PASSWORD];
const SET: ProvisioningAnswer = { kind: 'set' };
const UNREADABLE: ProvisioningAnswer = { kind: 'unreadable' };

function refused(culprits: readonly string[] = [], faultCode = 9003): ProvisioningAnswer {
  return {
    kind: 'refused',
    fault: { faultCode, faultString: 'no' },
    parameterFaults: culprits.map((name) => ({ name, faultCode: 9008, faultString: 'read-only' })),
  };
}

/** What is tried, one SetParameterValues after the other, and what it comes to. */
function provision(answers: readonly ProvisioningAnswer[], tries = 1) {
  const tried: string[] = [];
  let attempt = firstAttempt(ALL);
  let state: ReturnType<typeof stateAfter> = { provisioning: 'due', provisioningTries: tries, next: null };
  for (const answer of answers) {
    tried.push(attempt.names.map((name) => name.split('.')[2]?.replace(/^(Periodic|Connection)/, '')).join());
    const after = stateAfter(state, attempt, answer);
    state = after;
    if (after.next === null) break;
    attempt = after.next;
  }
  return { tried, state };
}

const EVERYTHING = 'InformEnable,InformInterval,RequestUsername,RequestPassword';

test('everything is set at once where the CPE takes it', (t) => {
  const { tried, state } = provision([SET]);
  t.deepEqual(tried, [EVERYTHING]);
  t.deepEqual(state, { provisioning: 'done', next: null });
});

test('what the CPE names as the culprit is left out, and the rest is set once more', (t) => {
  const { tried, state } = provision([refused([ENABLE]), SET]);
  t.deepEqual(tried, [EVERYTHING, 'InformInterval,RequestUsername,RequestPassword']);
  t.like(state, { provisioning: 'partly', next: null });
  t.deepEqual(state.provisioningFailures, [{ names: [ENABLE], faultCode: 9008, faultString: 'read-only' }]);
});

test('user name and password go together, whichever is named', (t) => {
  for (const culprit of [USERNAME, PASSWORD]) {
    const { tried } = provision([refused([culprit]), SET]);
    t.deepEqual(tried, [EVERYTHING, 'InformEnable,InformInterval']);
  }
});

test('where nothing is named, or what was not sent, credentials are tried alone and then the periodic Inform', (t) => {
  for (const first of [refused(), refused(['Device.Other'])]) {
    const { tried, state } = provision([first, SET, refused([ENABLE]), SET]);
    const alone = ['RequestUsername,RequestPassword', 'InformEnable,InformInterval', 'InformInterval'];
    t.deepEqual(tried, [EVERYTHING, ...alone]);
    t.is(state.provisioning, 'partly');
  }
});

test('a CPE that takes nothing has refused, at once, and keeps its words', (t) => {
  const { tried, state } = provision([refused(), refused(), refused()]);
  t.is(tried.length, 3);
  t.is(state.provisioning, 'refused');
  t.deepEqual(
    state.provisioningFailures?.map(({ faultCode }) => faultCode),
    [9003, 9003],
  );
  t.is(provision([refused(ALL)]).state.provisioning, 'refused');
});

test('a fault of the moment is tried again in later sessions, three times in all', (t) => {
  const busy = refused([], 9004);
  for (let tries = 1; tries < PROVISIONING_TRIES_MAX; tries++)
    t.is(provision([busy, busy, busy], tries).state.provisioning, 'due');
  t.is(provision([busy, busy, busy], PROVISIONING_TRIES_MAX).state.provisioning, 'refused');
});

test('an answer that cannot be read ends it for the session, and the third one for good', (t) => {
  t.deepEqual(provision([UNREADABLE]).tried, [EVERYTHING]);
  t.is(provision([UNREADABLE], 2).state.provisioning, 'due');
  t.is(provision([UNREADABLE], 3).state.provisioning, 'failed');
});

const QUIET = { bootstrap: false, boot: false, versionChanged: false };

test('three tries that found no answer give way, also where each brings about a boot or the same events again', (t) => {
  for (const events of [QUIET, { ...QUIET, boot: true }, { ...QUIET, boot: true, bootstrap: true }]) {
    const tried = { provisioning: 'due', provisioningTries: PROVISIONING_TRIES_MAX } as const;
    t.is(stateOnInform(tried, events).provisioning, 'failed');
    t.deepEqual(stateOnInform({ ...tried, provisioningTries: 2 }, events), {
      ...tried,
      provisioningTries: 2,
    });
  }
});

test('a boot is worth one more try, another version a new beginning', (t) => {
  for (const provisioning of ['failed', 'refused', 'partly'] as const) {
    t.deepEqual(stateOnInform({ provisioning }, QUIET), { provisioning });
    t.deepEqual(stateOnInform({ provisioning }, { ...QUIET, boot: true }), {
      provisioning: 'due',
      provisioningTries: PROVISIONING_TRIES_MAX - 1,
    });
    t.deepEqual(stateOnInform({ provisioning, provisioningTries: 3 }, { ...QUIET, versionChanged: true }), {
      provisioning: 'due',
    });
  }
});

test('what is done stays done over a boot, and is due after a factory reset', (t) => {
  const done = { provisioning: 'done' } as const;
  t.deepEqual(stateOnInform(done, { ...QUIET, boot: true, versionChanged: true }), done);
  t.deepEqual(stateOnInform(done, { ...QUIET, bootstrap: true }), { provisioning: 'due' });
});

const anyAnswer = fc.oneof(
  fc.constant(SET),
  fc.constant(UNREADABLE),
  fc.subarray([...ALL, 'Device.Other']).map((culprits) => refused(culprits)),
);

test('whatever a CPE answers, it is asked five times at most, never for a name twice refused, nor for half of the credentials', (t) => {
  fc.assert(
    fc.property(fc.array(anyAnswer, { minLength: 6, maxLength: 6 }), (answers) => {
      let attempt = firstAttempt(ALL);
      let sent = 0;
      const left = new Set<string>();
      for (const answer of answers) {
        sent++;
        t.true(attempt.names.length > 0);
        t.is(attempt.names.includes(USERNAME), attempt.names.includes(PASSWORD));
        for (const name of attempt.names) t.false(left.has(name), name);
        const after = planAfter(attempt, answer);
        for (const { names } of after.left) for (const name of names) left.add(name);
        if (after.next === null) break;
        attempt = after.next;
      }
      t.true(sent <= 5, String(sent));
    }),
  );
});
