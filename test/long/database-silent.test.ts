import test from 'ava';
import { silentRound } from '../e2e/silent-round.js';
import { mongodbUrl } from '../support/mongodb.js';

/** More than are let wait. */
const CROWD = { cpes: 5_000, largeInforms: 250, rules: 150, readers: 250 };

const url = mongodbUrl();
if (url !== null) {
  test('a database that falls silent under thousands of requests: memory stays bounded', (t) =>
    silentRound(t, url, CROWD));
}
