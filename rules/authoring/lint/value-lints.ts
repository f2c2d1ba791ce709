import { isIP } from 'node:net';
import { CONTEXT_FIELDS } from '../../vocabulary/index.js';
import { type NodeRemark, quoted } from './finding.js';
import { isVersion } from './version-lints.js';

/** An operator that was written into the text, as in `"<2.0"`. */
const OPERATOR_FIRST = /^\s*(?:[<>]=?|!=?|==?)\s*(?=\S)/;
const SLASHED = /^\/.*\/[im]*$/;
/** `HGW%`; 50% is a share. */
const SQL_PATTERN = /[^0-9\s]%$/;
const NETWORK = /^[0-9A-Fa-f.:]+\/[0-9]{1,3}$/;
const LOWER_OUI = /^(?=[0-9]*[a-f])[0-9a-fA-F]{6}(?=-|$)/;
/** Several in one text. Of manufacturers and models there may be some with a comma. */
const LISTS: ReadonlySet<string> = new Set([
  'cpeid',
  'oui',
  'productClass',
  'serialNumber',
  'softwareVersion',
  'hardwareVersion',
]);
/** A comma and a blank may be part of a name. */
const SEPARATED_CLOSELY = /^[^,;|\s]+(?:[,;|][^,;|\s]+)+$/;
const SEPARATED = /^[^,;|]+(?:[,;|][^,;|]+)+$/;

/**
 * Texts that a field never is, so that a comparison with one holds for no CPE: an operator or a pattern written into it, a network where
 * one address is, several in one.
 * @param form  of the condition: in object form `*` and what is before it are a pattern
 */
export function* textRemarks(field: string, value: string, form: 'text' | 'object'): Generator<NodeRemark> {
  if (CONTEXT_FIELDS.get(field)?.type !== 'text') return;
  const operator = OPERATOR_FIRST.exec(value)?.[0].trim();
  if (operator !== undefined) {
    yield { code: 'operator-in-text', message: operatorMessage(field, operator, value) };
  } else if (field === 'ip') {
    yield* addressRemarks(value, form);
  } else if (
    SLASHED.test(value) ||
    value.startsWith('^') ||
    /[^\\]\$$/.test(value) ||
    SQL_PATTERN.test(value)
  ) {
    const remedy = form === 'object' ? 'write * for any characters' : `write $contains(${field}, /…/)`;
    yield {
      code: 'pattern-in-text',
      message: `a text is no pattern, so ${quoted(value)} is compared as it stands; ${remedy}`,
    };
  } else if ((field === 'oui' || field === 'cpeid') && LOWER_OUI.test(value)) {
    const upper = value.slice(0, 6).toUpperCase() + value.slice(6);
    yield { code: 'letter-case', message: `an OUI is in capitals; write ${quoted(upper)}` };
  } else if (LISTS.has(field) && SEPARATED_CLOSELY.test(value)) {
    yield listInTextRemark(field, value, form);
  }
}

/** What is said of `"X1,X2"` where a list was to be. */
export function listInTextRemark(field: string, value: string, form: 'text' | 'object'): NodeRemark {
  const list = `[${value
    .split(/[,;|]/)
    .slice(0, 3)
    .map((item) => quoted(item.trim()))
    .join(', ')}]`;
  const remedy = form === 'object' ? list : `${field} in ${list}`;
  return { code: 'list-in-text', message: `${quoted(value)} is one text and no list; write ${remedy}` };
}

export function isListInText(value: string): boolean {
  return SEPARATED.test(value);
}

function operatorMessage(field: string, operator: string, value: string): string {
  const rest = quoted(value.replace(OPERATOR_FIRST, '').trim());
  const found = `a text is compared as it stands, with ${operator} in it`;
  if (operator.startsWith('!')) return `${found}; write the condition as a text, ${field} != ${rest}`;
  if (operator.startsWith('=')) return `${found}; write ${rest}`;
  return isVersion(field)
    ? `${found}; write the condition as a text, $compareVersions(${field}, ${rest}) ${operator} 0`
    : `${found}; write the condition as a text, ${field} ${operator} ${rest}`;
}

function* addressRemarks(value: string, form: 'text' | 'object'): Generator<NodeRemark> {
  if (isIP(value) !== 0 || (form === 'object' && value.includes('*'))) return;
  // A star has a remark of its own in a text.
  if (value.includes('*')) return;
  const isNetwork = NETWORK.test(value);
  const condition = form === 'object' ? 'the condition as a text, ' : '';
  yield {
    code: 'not-an-address',
    message: isNetwork
      ? `ip is one address and equals no network; write ${condition}$inSubnet(ip, ${quoted(value)})`
      : `ip is one address, and ${quoted(value)} is none; write ${condition}$inSubnet(ip, "10.0.0.0/8") for a network`,
  };
}
