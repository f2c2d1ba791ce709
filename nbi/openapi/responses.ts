import { type Answer, EVERY_HEADER, headersByStatus, PAGE_HEADERS, type Route, told } from '../http/index.js';

/** The headers that are the same wherever they come, under `#/components/headers`. */
export const SHARED_HEADERS = told(EVERY_HEADER);

const SHARED_REFS = Object.fromEntries(
  Object.keys(EVERY_HEADER).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

/** The answers of a route, with the headers that come of its status, of its being a list, and of its being an answer. */
export function responsesOf({ query }: Pick<Route, 'query'>, answers: Route['answers']) {
  // Whoever can be told where a page began tells where it goes on.
  const isPaged = query?.parameters.some(({ name }) => name === 'after') ?? false;
  const withHeaders = ([status, answer]: [string, Answer]) => {
    const { description, headers, content } = answer;
    const shown = {
      ...headersByStatus(status),
      ...(isPaged && status === '200' && PAGE_HEADERS),
      ...headers,
    };
    return [
      status,
      {
        description,
        headers: { ...Object(told(shown)), ...SHARED_REFS },
        ...(content === undefined ? {} : { content: told(content) }),
      },
    ];
  };
  return Object.fromEntries(Object.entries(answers).map(withHeaders));
}
