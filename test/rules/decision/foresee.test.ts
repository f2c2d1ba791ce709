import test from 'ava';
import { byCommand } from '../../../events/index.js';
import { CPE, inputOf, NOW_MS, openTestRules, post, ruleBody } from '../setup.js';

const BY = byCommand('eve');
const SHUT = { window: { cron: '0 9 * * *', durationMinutes: 60 } };

test('what a session would begin now goes before what only time holds back', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'shut', priority: 9, ...SHUT }));
  t.like(await rules.foresee(inputOf()), { rule: { id: 'shut' } });
  await post(rules, ruleBody({ id: 'now', priority: 1, target: { softwareVersion: '7' } }));
  t.like(await rules.foresee(inputOf()), { rule: { id: 'now' }, targetVersion: '7' });
});

test('windows, times to come, waits after failures and the brake hold nothing from being foreseen', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'mine', executions: 5 }));
  const rule = (await rules.foresee(inputOf()))?.rule;
  if (rule === undefined) throw new Error('nothing is foreseen');
  const failed = { started: 1, failures: 1, verified: false, givenBack: 0, lastEndedMs: NOW_MS };
  const counts = { [rules.countKey(rule)]: failed };
  t.is((await rules.decide(inputOf({}, { counts }))).kind, 'nothing');
  t.like(await rules.foresee(inputOf({}, { counts })), { rule: { id: 'mine' } });
  await rules.freeze({ frozen: true, by: BY });
  t.is((await rules.decide(inputOf())).kind, 'frozen');
  t.like(await rules.foresee(inputOf()), { rule: { id: 'mine' } });
  for (const later of [SHUT, { notBefore: '2026-02-01T00:00:00Z' }]) {
    await post(rules, ruleBody({ id: 'mine', ...later }));
    t.like(await rules.foresee(inputOf()), { rule: { id: 'mine' } });
  }
});

test('nothing is foreseen of what no session will begin by itself', async (t) => {
  const { rules } = await openTestRules(t);
  for (const never of [
    { enabled: false },
    { automatic: false },
    { condition: { productClass: 'STB' } },
    { condition: 'softwareVersion < 2' },
    { notAfter: '2026-01-01T00:00:00Z' },
    { target: { softwareVersion: '1.0.0' } },
    { executions: 0 },
  ]) {
    await post(rules, ruleBody({ id: 'mine', ...never }));
    t.is(await rules.foresee(inputOf()), null, JSON.stringify(never));
  }
  await post(rules, ruleBody({ id: 'mine', automatic: false }));
  t.like(await rules.foresee(inputOf({}, { requested: true })), { rule: { id: 'mine' } });
});

test('a pinned rule whose CPE is at its target hides nothing, and nothing is held against a rule', async (t) => {
  const { rules, log } = await openTestRules(t);
  const done = { condition: { cpeid: CPE }, priority: 9, target: { softwareVersion: '1.0.0' } };
  await post(
    rules,
    ruleBody({ id: 'done', ...done }),
    ruleBody({ id: 'broken', condition: 'nowhere < 2', priority: 5 }),
  );
  t.is(await rules.foresee(inputOf()), null);
  await post(rules, ruleBody({ id: 'behind' }));
  t.like(await rules.foresee(inputOf()), { rule: { id: 'behind' } });
  await rules.settled();
  t.deepEqual(
    log.filter(({ event }) => event.startsWith('rules.condition')),
    [],
  );
});

test('parameters that a session would first read are not waited for', async (t) => {
  const { rules } = await openTestRules(t);
  await post(rules, ruleBody({ id: 'reads', condition: { 'parameters.Device.X.Y': 'a' } }));
  const unread = async (paths: readonly string[]) => paths;
  t.is((await rules.decide(inputOf({}, { unread }))).kind, 'read');
  t.is(await rules.foresee(inputOf({}, { unread })), null);
  const readParameters = async () => ({ Device: { X: { Y: 'a' } } });
  t.like(await rules.foresee(inputOf({}, { unread, readParameters })), { rule: { id: 'reads' } });
});
