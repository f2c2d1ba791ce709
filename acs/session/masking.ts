import { fileTokensMasked } from '../../firmware/index.js';
import { SHORT_TEXT_CHARACTERS_MAX } from '../soap/index.js';

/** Stands where a secret was. */
const NOT_SHOWN = '********';
/** Of a secret that is cut off at the end of a text: fewer characters say nothing, and may stand there for themselves. */
const CUT_CHARACTERS_MIN = 4;

/**
 * What a CPE has said, without what it was told in secret: some quote the value that they refuse, or the URL that they could not fetch.
 * @param secrets  passwords, and queries of URLs, as they were sent
 */
export function withoutSecretsIn(text: string, secrets: Iterable<string>): string {
  let shown = text;
  const written = [...secrets].flatMap(spellings);
  // The longest first: one may be a piece of another.
  for (const secret of written.sort((a, b) => b.length - a.length)) {
    shown = shown.replaceAll(secret, NOT_SHOWN);
  }
  // A text of full length was cut, perhaps within a secret.
  if (text.length >= SHORT_TEXT_CHARACTERS_MAX - 1) {
    for (const secret of written) shown = withoutBeginning(shown, secret);
  }
  return fileTokensMasked(shown, NOT_SHOWN);
}

/** As it is, as in a URL, and as in XML that was escaped twice. */
function spellings(secret: string): readonly string[] {
  if (secret === '') return [];
  const inXml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const inAttribute = inXml.replaceAll('"', '&quot;').replaceAll("'", '&apos;');
  return [...new Set([secret, inXml, inAttribute, encoded(secret)])];
}

/** Half of a surrogate pair, which no URL can hold, is no reason to fail. */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function withoutBeginning(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= CUT_CHARACTERS_MIN; length--) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + NOT_SHOWN;
  }
  return text;
}
