import { invalid } from './api-error.js';

/**
 * The query of a URL, form-encoded; empty where there is none.
 * @throws ApiError 400 naming the parameter whose bytes are not UTF-8: URLSearchParams would put another text in their place
 */
export function parseQueryString(url: string): URLSearchParams {
  const start = url.indexOf('?');
  const query = start < 0 ? '' : url.slice(start + 1);
  for (const pair of query.split('&')) {
    if (isUtf8(pair)) continue;
    const [name = ''] = new URLSearchParams(pair).keys();
    throw invalid(name.slice(0, 100), 'encoded UTF-8');
  }
  return new URLSearchParams(query);
}

/** A % that starts no encoded byte stands for itself. */
function isUtf8(text: string): boolean {
  try {
    decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
    return true;
  } catch {
    return false;
  }
}
