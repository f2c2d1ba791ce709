import type { RequestOptions, TestNbi } from './support.js';

/** Differs in any two answers. */
const OF_EACH: ReadonlySet<string> = new Set(['date', 'x-request-id']);

/** A whole answer, with its status and headers, as text that can be compared. */
export async function answerTo(
  { url }: Pick<TestNbi, 'url'>,
  path: string,
  { method = 'GET', json, as }: Pick<RequestOptions, 'method' | 'json'> & { readonly as: string },
): Promise<string> {
  const response = await fetch(url + path, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(as).toString('base64')}`,
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const headers = [...response.headers].filter(([name]) => !OF_EACH.has(name));
  const head = headers.map(([name, value]) => `${name}: ${value}`).sort();
  return [response.status, ...head, '', await response.text()].join('\n');
}
