import { fileUrlOf, lacksQueryValues } from '../../common/index.js';
import { RULE_SCHEMA, type Rule, type RuleProblem } from '../vocabulary/index.js';

/** Names of images (firmware's IMAGE_NAME_PATTERN). */
const IMAGE_NAME = /^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$/;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** What a rule's `file` should be, where no Download could carry it; null where one can. */
export function unusableFile(file: string): string | null {
  if (IMAGE_NAME.test(file)) return null;
  const url = fileUrlOf(file);
  const { description } = RULE_SCHEMA.properties.file;
  if (url.kind === 'url') {
    return lacksQueryValues(file)
      ? `${description} (viewers are shown ******** for the values of its query)`
      : null;
  }
  return HAS_SCHEME.test(file) ? `${description} (${url.reason})` : description;
}

/** What JSON Schema cannot say of how a rule's `file` is fetched. What was found is told to nobody. */
export function* credentialProblems({
  file,
  username,
  password,
}: Pick<Rule, 'file' | 'username' | 'password'>): Generator<RuleProblem> {
  if (IMAGE_NAME.test(file)) {
    const expected = 'left out: the file is an image, and Ferry serves it by itself';
    if (username !== undefined) yield { field: 'username', code: 'needless', expected };
    if (password !== undefined) yield { field: 'password', code: 'needless', expected };
    return;
  }
  if (password !== undefined && username === undefined) {
    yield { field: 'username', code: 'missing', expected: 'the user that the password belongs to' };
  }
  // RFC 7617: the colon is what ends the user name.
  if (username?.includes(':') === true && /^https?:/i.test(file)) {
    yield { field: 'username', code: 'bad-username', expected: RULE_SCHEMA.properties.username.description };
  }
}
