import type { Request } from 'express';
import type { Rendered } from '../../http/index.js';
import type { Endpoint } from './endpoint.js';

/** An answer, for people to look at. */
export interface Page {
  readonly request: Request;
  readonly status: number;
  /** What JSON would have; undefined: nothing. */
  readonly data: unknown;
  /** The path that was asked for; null where no handler came to know of it. */
  readonly endpoint: Endpoint | null;
  /** The methods that there are at the path, as Allow tells them. */
  readonly allow: readonly string[];
}

/** What makes pages of answers, for browsers. */
export type PageMaker = (page: Page) => Rendered;

const MARKS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A page of the bare answer: for whoever hands in no other maker. */
export const plainPage: PageMaker = ({ data, endpoint }) => {
  const title = escaped(endpoint?.name ?? 'Firmware upgrader');
  const text = data === undefined ? '' : escaped(JSON.stringify(data, null, 4));
  return {
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!DOCTYPE html>\n<html lang="en">\n<title>${title}</title>\n<h1>${title}</h1>\n<pre>${text}</pre>\n</html>\n`,
  };
};

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => MARKS[mark] ?? mark);
}
