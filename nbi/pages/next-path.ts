const NEXT_CHARACTERS_MAX = 2_000;
const HERE = 'http://host.invalid';

/**
 * Where a page leads on to, as far as that is a path of this server, as browsers read it; else its first page. `//host`, `/\host` and other
 * spellings of elsewhere are none: a link to the log-in page must not lead who follows it to a copy of it.
 */
export function nextPath(text: string | null | undefined): string {
  if (text === null || text === undefined || text.length > NEXT_CHARACTERS_MAX || !text.startsWith('/'))
    return '/';
  if (!URL.canParse(text, HERE)) return '/';
  const { origin, pathname, search, hash } = new URL(text, HERE);
  // A path may still begin with two slashes once dots are resolved.
  if (origin !== HERE || pathname.startsWith('//')) return '/';
  return `${pathname}${search}${hash}`;
}
