import { createHash } from 'node:crypto';

const BUCKETS = 100;

/**
 * Puts a CPE into one of 100 buckets (0 to 99), the same one for ever for the same salt and independently for another:
 * a canary of 5 % is `$bucket(cpeid, "r1") < 5`.
 */
export function bucket(cpeid: string, salt: string): number {
  const digest = createHash('sha256').update(salt).update('\0').update(cpeid).digest();
  return digest.readUInt32BE(0) % BUCKETS;
}
