import type { Answer } from '../http/index.js';

/** An answer that is a page. */
export function pageAnswer(description: string): Answer {
  return { description, content: { 'text/html': { schema: { type: 'string' } } } };
}

const WORDS = {
  '400': 'The form cannot be read',
  '403': 'It comes from a page of elsewhere, or without its token',
  '413': 'The form is too large',
  '415': 'It is no form of a page',
  '404': 'There is no such file',
  '429': 'Too much is asked from where it comes; Retry-After tells how long to wait',
  '503': 'Too much is under way, or the store cannot be reached',
  '507': 'The disk, or the database, is full',
} as const;

/** Failures that are pages. */
export function pageAnswers(...statuses: readonly (keyof typeof WORDS)[]): Readonly<Record<string, Answer>> {
  return Object.fromEntries(statuses.map((status) => [status, pageAnswer(WORDS[status])]));
}
