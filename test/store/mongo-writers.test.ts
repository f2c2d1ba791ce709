import test from 'ava';
import { Silence } from '../../store/mongo/writers.js';

/** Looks every two seconds at a writer that was last seen at `seenAtS`. */
function looker() {
  const silence = new Silence();
  return (atS: number, seenAtS: number) =>
    silence.among([{ _id: 'other', seenAt: new Date(seenAtS * 1_000) }], atS * 1_000).length > 0;
}

test('a writer that says nothing new for six seconds is silent', (t) => {
  const isSilent = looker();
  t.deepEqual(
    [0, 2, 4, 6].map((atS) => isSilent(atS, 0)),
    [false, false, false, true],
  );
  t.false(isSilent(8, 8));
});

test('a writer is not taken for dead as the database was away and it has not had its turn since', (t) => {
  const isSilent = looker();
  t.false(isSilent(0, 0));
  t.false(isSilent(2, 1));
  // Nobody reached the database for ten seconds.
  t.false(isSilent(12, 1));
  t.false(isSilent(14, 13));
});

test('one that dies while the database is away is silent three looks later', (t) => {
  const isSilent = looker();
  t.deepEqual(
    [0, 10, 12, 14].map((atS) => isSilent(atS, 0)),
    [false, false, false, true],
  );
});
