import { type Route, route } from '../http/index.js';
import type { UserSessions } from '../sessions/index.js';
import { type Html, html } from './html.js';
import { sendPage } from './page.js';
import { pageAnswer, pageAnswers } from './page-answers.js';
import { readerOf } from './reader.js';

interface Place {
  readonly path: string;
  readonly words: string;
  /** Whom it asks for: anybody, or a user. */
  readonly isOpen?: boolean;
}

interface Shelf {
  readonly title: string;
  readonly places: readonly Place[];
}

/** Everything that can be opened in a browser, by who looks for it. */
export const SHELVES: readonly Shelf[] = [
  {
    title: 'To call it from programs',
    places: [
      { path: '/api/v1/docs/', words: 'Every call of the API, to read and to try', isOpen: true },
      { path: '/v1/openapi.json', words: 'The same for machines: OpenAPI 3.1', isOpen: true },
      {
        path: '/v1/schemas/rule-file.json',
        words: 'The JSON Schema of rule files, for editors',
        isOpen: true,
      },
      { path: '/v1/schemas/rule-test.json', words: 'The JSON Schema of their tests', isOpen: true },
    ],
  },
  {
    title: 'To upgrade devices by hand',
    places: [
      { path: '/api/v1/firmware-upgrader/category/', words: 'Categories of builds' },
      {
        path: '/api/v1/firmware-upgrader/build/',
        words: 'Builds: their images, and whom they would upgrade',
      },
      { path: '/api/v1/firmware-upgrader/batch-upgrade-operation/', words: 'Batches, and how far they are' },
      { path: '/api/v1/firmware-upgrader/upgrade-operation/', words: 'Upgrades of single devices' },
    ],
  },
  {
    title: 'What there is',
    places: [
      { path: '/v1/dyn/DeviceStorage/.*', words: 'CPEs' },
      { path: '/v1/dyn/FirmwareStorage/.*', words: 'Upgrade rules' },
      { path: '/v1/dyn/FirmwareResultStorage/.*', words: 'Results of upgrades' },
      { path: '/v1/images', words: 'Firmware images' },
    ],
  },
  {
    title: 'To watch it',
    places: [
      { path: '/healthz', words: 'Whether this process can do its work', isOpen: true },
      { path: '/readyz', words: 'Whether CPEs may be sent to it', isOpen: true },
      { path: '/livez', words: 'That it turns', isOpen: true },
      { path: '/metrics', words: 'Metrics for Prometheus' },
    ],
  },
];

/**
 * `GET /`: the page that leads to everything. It tells strangers what the OpenAPI document tells them, and who has logged in which version
 * this is.
 */
export function welcomeRoute(
  sessions: Pick<UserSessions, 'principalOf' | 'csrfTokenOf'>,
  version: string,
): Route {
  return route({
    method: 'GET',
    path: '/',
    role: null,
    concerns: 'everyone',
    operationId: 'firstPage',
    summary: 'A page that leads to everything, for people',
    answers: { '200': pageAnswer('The page'), ...pageAnswers('429', '503') },
    async handle({ request, response }) {
      const reader = await readerOf(sessions, request);
      sendPage(response, { title: 'Ferry', reader, main: mainOf(reader === null ? null : version) });
    },
  });
}

function mainOf(version: string | null): Html {
  return html`<h1>Ferry</h1>
<p>An auto-configuration server for TR-069: it upgrades the firmware of CPEs by rules.</p>
${SHELVES.map(
  ({ title, places }) => html`<section>
<h2>${title}</h2>
<dl class="places">
${places.map((place) => placePart(place, version !== null))}</dl>
</section>
`,
)}${version !== null && html`<p class="muted">This is Ferry ${version}.</p>\n`}`;
}

function placePart({ path, words, isOpen = false }: Place, isKnown: boolean): Html {
  const log = isOpen || isKnown ? null : html` <span class="muted">(asks who you are)</span>`;
  return html`<div><dt><a href="${path}">${words}</a>${log}</dt><dd><code>${path}</code></dd></div>\n`;
}
