import type { JsonObject } from '../../http/index.js';
import { type Html, html, NOTHING } from '../../pages/index.js';
import { textIn } from './places.js';

/** After how long a page asks anew how far it is. */
export const REFRESH_SECONDS = 5;

const UNDER_WAY: ReadonlySet<string> = new Set(['idle', 'in-progress']);

/** Whether an answer is of one thing that goes on by itself: a batch, or an operation. */
export function isUnderWay(data: JsonObject): boolean {
  return UNDER_WAY.has(textIn(data, 'status'));
}

/** How far a batch or an operation is; nothing for anything else. */
export function progressPart(data: JsonObject, url: URL, refreshes: boolean): Html {
  const status = textIn(data, 'status');
  const { done, total, words } = farOf(data);
  if (status === '' || total === null) return NOTHING;
  const label = `${status}${words === '' ? '' : `, ${words}`}`;
  return html`<div class="bar"><strong class="state-${status}" role="status">${label}</strong>
<progress max="${total}" value="${done}" aria-label="How far it is">${label}</progress></div>
${isUnderWay(data) && refreshPart(url, refreshes)}`;
}

interface Far {
  readonly done: number;
  /** Null: it is nothing that goes on. */
  readonly total: number | null;
  readonly words: string;
}

const PERCENT = 100;

function farOf(data: JsonObject): Far {
  const { progress, progress_report: report } = data;
  if (typeof report === 'string') {
    const [, done = '0', total = '0'] = /^(\d+) out of (\d+)$/.exec(report) ?? [];
    // Of nothing it is as far as its status says.
    return { done: Number(done), total: Math.max(1, Number(total)), words: `${report} have ended` };
  }
  if (typeof progress === 'number') return { done: progress, total: PERCENT, words: `${progress} %` };
  return { done: 0, total: null, words: '' };
}

function refreshPart(url: URL, refreshes: boolean): Html {
  const query = new URLSearchParams(url.searchParams);
  if (refreshes) query.set('refresh', '0');
  else query.delete('refresh');
  const words = refreshes
    ? `This page is loaded anew every ${REFRESH_SECONDS} seconds.`
    : 'This page stands still.';
  return html`<p class="muted">${words} <a href="?${query.toString()}">${refreshes ? 'Stop that' : 'Load it anew by itself'}</a></p>
`;
}

/** Where the pages before and behind are, and how many items there are. */
export function pagingPart(data: JsonObject): Html {
  const { count, next, previous } = data;
  if (typeof count !== 'number') return NOTHING;
  const link = (url: unknown, words: string, rel: string) =>
    typeof url === 'string' ? html`<a class="button" rel="${rel}" href="${url}">${words}</a>\n` : NOTHING;
  return html`<nav class="bar" aria-label="Pages"><span>${count} in all</span>
${link(previous, 'Before', 'prev')}${link(next, 'Next', 'next')}</nav>
`;
}
