/** The CommandKey of the upgrade that has this result. */
export function commandKeyOfResult(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}
