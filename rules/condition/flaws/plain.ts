const SPACE = /[ \t\n\r\v]*/y;
const AND = /and(?![\w`$])/y;
const FIELD = String.raw`(?!(?:true|false|null|and|or|in)(?!\w))[A-Za-z]\w*`;
const BLANK = String.raw`[ \t\n\r\v]*`;
const TEXT = String.raw`(?:"[^"\\]*"|'[^'\\]*')`;
/**
 * What most conditions are made of. None of these is a constant or the same for every CPE, nor can several of them, all of which must
 * hold, be.
 */
const ATOMS: readonly RegExp[] = [
  `${FIELD}${BLANK}=${BLANK}${TEXT}`,
  `${FIELD}${BLANK} in${BLANK}\\[${BLANK}${TEXT}${BLANK}(?:,${BLANK}${TEXT}${BLANK})*\\]`,
  `${TEXT}${BLANK} in ${BLANK}(?:tags|events)(?![\\w.\`])`,
  `\\$compareVersions\\(${BLANK}${FIELD}${BLANK},${BLANK}${TEXT}${BLANK}\\)${BLANK}[<>]=?${BLANK}0(?![\\w.])`,
  `\\$bucket\\(${BLANK}cpeid${BLANK},${BLANK}${TEXT}${BLANK}\\)${BLANK}<${BLANK}[0-9]{1,2}(?![\\w.])`,
  `\\$exists\\(${BLANK}${FIELD}${BLANK}\\)`,
].map((atom) => new RegExp(atom, 'y'));

/** Whether a condition is plainly without anything to be refused, so that no parser need look at it. Reads each character a few times. */
export function isPlain(text: string): boolean {
  let at = skip(SPACE, text, 0);
  for (;;) {
    const end = endOfAtom(text, at);
    if (end === null) return false;
    at = skip(SPACE, text, end);
    if (at === text.length) return true;
    const behind = skip(AND, text, at);
    if (behind === at) return false;
    at = skip(SPACE, text, behind);
  }
}

function endOfAtom(text: string, at: number): number | null {
  for (const atom of ATOMS) {
    const end = skip(atom, text, at);
    if (end > at) return end;
  }
  return null;
}

/** Behind what the pattern finds there; the same place where it finds nothing. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
