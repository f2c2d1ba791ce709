import test from 'ava';
import fc from 'fast-check';
import { withoutSecretsIn } from '../../../acs/session/masking.js';
import { SHORT_TEXT_CHARACTERS_MAX } from '../../../acs/soap/index.js';

test('a secret is taken out of what a CPE says, however it writes it', (t) => {
  const secret = `a&"b' c/ü`;
  for (const said of [secret, 'a&amp;"b\' c/ü', 'a&amp;&quot;b&apos; c/ü', encodeURIComponent(secret)])
    t.is(withoutSecretsIn(`no: ${said}, sorry, ${said}`, [secret]), 'no: ********, sorry, ********');
  t.is(withoutSecretsIn('one two', ['', 'three']), 'one two');
  t.is(withoutSecretsIn('secret and secret-longer', ['secret', 'secret-longer']), '******** and ********');
});

test('a token of a file is taken out of its URL, also where the text ends within it', (t) => {
  const token = 'AGkq_-'.padEnd(28, 'x');
  t.is(
    withoutSecretsIn(`http://h:7567/t/${token}/hgw.bin: 404`, []),
    'http://h:7567/t/********/hgw.bin: 404',
  );
  t.is(withoutSecretsIn(`cannot get http://h/t/${token.slice(0, 12)}`, []), 'cannot get http://h/t/********');
});

test('of a secret that the end of a text of full length cuts through nothing is left', (t) => {
  const secret = 'Zq8-Xw2_Lm9Pv4Rt';
  for (const left of [4, 9, 15]) {
    const text = 'x'.repeat(SHORT_TEXT_CHARACTERS_MAX - left) + secret.slice(0, left);
    t.is(withoutSecretsIn(text, [secret]), `${'x'.repeat(SHORT_TEXT_CHARACTERS_MAX - left)}********`);
  }
  t.is(withoutSecretsIn('ends as Zq8-', [secret]), 'ends as Zq8-', 'a short text was not cut');
});

test('no text shows any of the secrets, whatever stands around them', (t) => {
  const secret = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((s) => !s.includes('*'));
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), fc.string(), (secrets, text) => {
      const shown = withoutSecretsIn(`${text}${secrets.join('|')}${text}`, secrets);
      t.true(secrets.every((each) => !shown.includes(each)));
    }),
    { numRuns: 500 },
  );
});
