import { INVISIBLE } from '../../common/index.js';

const TEXT_CHARACTERS_MAX = 256;

/**
 * A text of a file, up to its first NUL.
 * @returns null where there is none that people could read
 */
export function textIn(bytes: Buffer): string | null {
  const nul = bytes.indexOf(0);
  return readable((nul < 0 ? bytes : bytes.subarray(0, nul)).toString('utf8'));
}

/** The same of what is a text already. @returns null for what is none, or too long for one */
export function readable(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.trim();
  return text === '' || text.length > TEXT_CHARACTERS_MAX || INVISIBLE.test(text) || text.includes('\uFFFD')
    ? null
    : text;
}

/** A version in a text for people; null where there is none, or it is the kernel's. */
export function versionIn(text: string): string | null {
  if (/linux/i.test(text)) return null;
  return /\bv?\d+(?:\.\d+){1,5}[\w.+-]*/i.exec(text)?.[0] ?? null;
}
