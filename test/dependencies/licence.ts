/** Licences that ask for no more than that their text is passed on. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
]);

/**
 * Whether an SPDX expression lets Ferry be passed on under its own licence: of `OR` one side is enough, of `AND` both
 * must. Whatever is not on the list, or is no such expression, does not.
 * @see SPDX 2.3, Annex D
 */
export function isPermissive(expression: string): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let next = 0;
  const take = (token: string) => tokens[next] === token && next++ >= 0;

  function either(): boolean {
    let permissive = both();
    while (take('OR')) permissive = both() || permissive;
    return permissive;
  }
  function both(): boolean {
    let permissive = one();
    while (take('AND')) permissive = one() && permissive;
    return permissive;
  }
  function one(): boolean {
    if (!take('(')) return PERMISSIVE.has(tokens[next++] ?? '');
    const permissive = either();
    return take(')') && permissive;
  }

  return either() && next === tokens.length;
}
