import type { ParameterValue } from './decision.js';

/** Stands for a secret that a CPE has: that there is one is kept, and what it is not. */
export const SECRET_SET = 'set';

/** What makes a small letter of a capital in ASCII. */
const SMALL = 0x20;

/** What the last step of the name of a secret ends in, in whatever case and spelt with `_` and `-` or without, by its last three letters: most names are known not to be one by these alone. */
const ENDINGS = byLastLetters([
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'passcode',
  'secret',
  'psk',
  'token',
  ...(
    'wep wpa wifi private shared secret access api auth authentication encryption cipher crypto security network link master ' +
    'session signing hmac tsig pass'
  )
    .split(' ')
    .map((kind) => `${kind}key`),
]);
/** These count as a word of their own only: `WPS.PIN` and `simPin`, not `Spin` or `Bypass`. */
const SHORT_WORDS = byLastLetters(['pin', 'puk', 'pass']);
/** So much of a name is looked at: more than the longest ending has. */
const TAIL_CHARACTERS = 32;

/**
 * Whether values of this parameter are secrets, by how its last step ends: TR-098, TR-104 and TR-181 call theirs Password, KeyPassphrase,
 * PreSharedKey, WEPKey, Secret, PrivateKey, PIN and the like, and what vendors add is called so too. Numbers behind it are no part of it
 * (`WEPKey.1`, `Password2`). In linear time, and in next to none for most names.
 *
 * @param name  full name; a partial path, with a dot at its end, names no value
 * @example isSecretParameter('Device.WiFi.AccessPoint.1.Security.KeyPassphrase') // true; KeyPassphraseLength: false
 */
export function isSecretParameter(name: string): boolean {
  let end = name.length;
  if (isNumbering(name.charCodeAt(end - 1))) {
    while (end > 0 && isNumbering(name.charCodeAt(end - 1))) end--;
    if (name.endsWith('.')) return false;
  }
  const last = lastLetters(name, end);
  const endings = ENDINGS.get(last);
  const words = SHORT_WORDS.get(last);
  if (endings === undefined && words === undefined) return false;
  const tail = name.slice(Math.max(0, end - TAIL_CHARACTERS), end);
  const step = tail.slice(tail.lastIndexOf('.') + 1);
  const lower = step.toLowerCase();
  const joined = lower.replaceAll('_', '').replaceAll('-', '');
  return (
    (endings?.some((ending) => joined.endsWith(ending)) ?? false) ||
    (words?.some((word) => lower.endsWith(word) && isWordAt(step, step.length - word.length)) ?? false)
  );
}

/**
 * What is kept of a value of a {@link isSecretParameter}: {@link SECRET_SET}, or empty where it is, as CPEs say of what they do not tell
 * (TR-106). One that is true or false is no secret but a switch (`ShowPassword`).
 */
export function keptOfSecret(value: ParameterValue): ParameterValue {
  return value === '' || typeof value === 'boolean' ? value : SECRET_SET;
}

/** Digits, and what stands between them and what they number: as in `WEPKey.1` and `Password_2`. */
function isNumbering(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x5f;
}

/** Whether a word begins there: at the beginning, behind what is no letter, or where small letters end or begin again. */
function isWordAt(step: string, index: number): boolean {
  const before = step.charAt(index - 1);
  const isLetter = /[a-z]/i.test(before);
  if (!isLetter) return true;
  const isCapital = /[A-Z]/.test(step.charAt(index));
  return isCapital && (/[a-z]/.test(before) || /[a-z]/.test(step.charAt(index + 1)));
}

/** The last three characters before `end` as a number, letters as small ones: nothing is allocated for it. */
function lastLetters(text: string, end: number): number {
  if (end < 3) return 0;
  return (
    ((text.charCodeAt(end - 3) | SMALL) << 16) |
    ((text.charCodeAt(end - 2) | SMALL) << 8) |
    (text.charCodeAt(end - 1) | SMALL)
  );
}

function byLastLetters(words: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const map = new Map<number, string[]>();
  for (const word of words) {
    const last = lastLetters(word, word.length);
    const known = map.get(last);
    if (known === undefined) map.set(last, [word]);
    else known.push(word);
  }
  return map;
}
