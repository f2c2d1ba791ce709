/** What text may not hold as it stands: markup, the carriage return that parsers turn into a line feed, and no-characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the ones that XML 1.0 forbids are what is looked for
const SPECIAL = /[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;

const REPLACEMENT: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/**
 * Escapes text for an element or a quoted attribute. What XML 1.0 cannot carry (most control characters, lone surrogates,
 * U+FFFE, U+FFFF) becomes U+FFFD: it stays visible that something stood there.
 *
 * @see XML 1.0, 2.2 and 2.4
 */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => REPLACEMENT[character] ?? '\ufffd');
}
