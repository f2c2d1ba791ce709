/** What a label of a host name can be (RFC 1035, 2.3.4), wherever the hyphens stand. */
const LABEL = /^[A-Za-z0-9-]{1,63}$/;

/**
 * The label of a host name that stands for a serial number: the same in lower case.
 * @returns null where it has other characters than letters, digits and `-`, or more than 63 of them
 */
export function serialLabelOf(serialNumber: string): string | null {
  return LABEL.test(serialNumber) ? serialNumber.toLowerCase() : null;
}
