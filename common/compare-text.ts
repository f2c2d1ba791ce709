/** By UTF-8 bytes, as the store sorts its keys: below zero where `a` comes before `b`. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
