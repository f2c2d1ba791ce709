import test from 'ava';
import { MongoServerError } from 'mongodb';
import { Vigil } from '../../store/mongo/vigil.js';
import { recordingLogger, until } from '../support/ferry.js';

const never = () => new Promise<never>(() => {});

test('a database that answers questions is waited for, however long a request takes', async (t) => {
  const { logger, events } = recordingLogger();
  let asked = 0;
  const ask = async () => {
    asked++;
  };
  const vigil = new Vigil({ silenceMsMax: 100, ask, onSilent: () => t.fail('it is not silent'), logger });
  t.teardown(() => vigil.close());
  void vigil.attend(never());
  await until('it was asked again and again', () => asked >= 5);
  t.notThrows(() => vigil.check('reading'));
  t.deepEqual(events, []);
});

test('one that answers nothing is given up by all who read, refused to all who come, and asked until it answers', async (t) => {
  const { logger, events } = recordingLogger();
  let answer: () => void = () => {};
  let asked = 0;
  let silences = 0;
  const ask = () => {
    asked++;
    return new Promise<void>((resolve) => {
      answer = resolve;
    });
  };
  const onSilent = () => {
    silences++;
  };
  const vigil = new Vigil({ silenceMsMax: 100, ask, onSilent, logger });
  t.teardown(() => vigil.close());
  const message = /^reading: the database does not answer/;
  await t.throwsAsync(vigil.attendRead('reading', never()), { message });
  t.true(vigil.isSilent);
  t.is(silences, 1);
  t.throws(() => vigil.check('reading'), { message });
  await until('it is asked as often as it may be at once', () => asked === 8);
  answer();
  await until('it is heard again', () => !vigil.isSilent);
  t.notThrows(() => vigil.check('reading'));
  t.deepEqual(
    events.map(({ event }) => event),
    ['store.silent', 'store.answers-again'],
  );
});

test('an error of the server is an answer, one of the network is none, but the reason that is told', async (t) => {
  const { logger } = recordingLogger();
  const refused = () => Promise.reject(new Error('connect ECONNREFUSED'));
  const vigil = new Vigil({ silenceMsMax: 100, ask: refused, onSilent: () => {}, logger });
  t.teardown(() => vigil.close());
  await t.throwsAsync(vigil.attendRead('reading', never()), { message: /does not answer \(connect ECONN/ });
  await t.throwsAsync(vigil.attend(Promise.reject(new MongoServerError({ code: 13 }))));
  t.false(vigil.isSilent);
});
