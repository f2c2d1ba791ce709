import type { Request } from 'express';

/** The methods of a path as the reference tells them: HEAD where there is GET, and OPTIONS at any. */
export function allowed(methods: readonly string[]): readonly string[] {
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

const BEARER = /^bearer(?:\s|$)/i;

/** What every answer has in its header. @param allow  as {@link allowed}; empty where no route is at the path */
export function mannersOf(
  { headers }: Pick<Request, 'headers'>,
  allow: readonly string[],
): Readonly<Record<string, string>> {
  return {
    ...(allow.length > 0 && { Allow: allow.join(', ') }),
    // Whoever shows a token is answered the same whatever cookies come along.
    Vary: BEARER.test(headers.authorization ?? '') ? 'Accept' : 'Accept, Cookie',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
}
