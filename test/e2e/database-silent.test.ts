import test from 'ava';
import { mongodbUrl } from '../support/mongodb.js';
import { silentRound } from './silent-round.js';

const CROWD = { cpes: 1_500, largeInforms: 60, rules: 60, readers: 150 };

const url = mongodbUrl();
if (url !== null) {
  test('a database that falls silent under a crowd: each is told to come again, and everything resumes by itself', (t) =>
    silentRound(t, url, CROWD));
}
