import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { locationHeader, type Route, route } from '../http/index.js';
import { ASSET_TYPES, type Asset, assetRoute } from './asset.js';
import { html } from './html.js';
import { ASSETS_PATH, type Page, sendPage } from './page.js';
import { pageAnswer, pageAnswers } from './page-answers.js';

export const DOCS_PATH = '/api/v1/docs/';

/** The OpenAPI document, made when somebody first wants it. */
export type OpenApiBytes = () => Buffer;

const PAGE: Page = {
  title: 'The API, live',
  crumbs: [{ name: 'Ferry', path: '/' }],
  main: html`<noscript><p>This page needs a script of this server to show <a href="/v1/openapi.json">the OpenAPI document</a>.</p></noscript>
<div id="swagger-ui"></div>`,
  styles: [`${DOCS_PATH}swagger-ui.css`],
  scripts: [`${DOCS_PATH}swagger-ui-bundle.js`, `${ASSETS_PATH}docs.js`],
};

/** `/api/v1/docs/` and what belongs to it, where clients of the Firmware Upgrader's API look for it. */
export function docsRoutes(document: OpenApiBytes): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: DOCS_PATH,
      role: null,
      concerns: 'everyone',
      operationId: 'docsPage',
      summary: 'A page that shows every call, and tries them',
      answers: { '200': pageAnswer('The page'), ...pageAnswers('429', '503') },
      async handle({ response }) {
        sendPage(response, PAGE);
      },
    }),
    assetRoute(DOCS_PATH, 'docsAsset', 'A file of Swagger UI that this page loads', {
      'swagger-ui.css': ofSwagger('swagger-ui.css', 'css'),
      'swagger-ui-bundle.js': ofSwagger('swagger-ui-bundle.js', 'js'),
    }),
    documentRoute('/api/v1/docs.json', 'docsJson', 'application/json', document),
    // Every JSON text of objects, arrays and texts is YAML 1.2.
    documentRoute('/api/v1/docs.yaml', 'docsYaml', 'application/yaml', document),
    leadingRoute('/api/v1/redoc/', 'redocPage'),
  ];
}

/** `/v1/doc` and its document, where clients of `/v1/dyn` and `/v1/method` look for them. */
export function shortDocsRoutes(document: OpenApiBytes): readonly Route[] {
  return [
    leadingRoute('/v1/doc', 'shortDocsPage'),
    documentRoute('/v1/doc/swagger.json', 'swaggerJson', 'application/json', document),
  ];
}

function leadingRoute(path: string, operationId: string): Route {
  return route({
    method: 'GET',
    path,
    role: null,
    concerns: 'everyone',
    operationId,
    summary: 'Leads to the page that shows every call',
    answers: {
      '302': { description: 'It does', headers: locationHeader(DOCS_PATH) },
      ...pageAnswers('429', '503'),
    },
    async handle({ response }) {
      response.status(302).setHeader('Location', DOCS_PATH);
      response.end();
    },
  });
}

function documentRoute(path: string, operationId: string, mediaType: string, document: OpenApiBytes): Route {
  return route({
    method: 'GET',
    path,
    role: null,
    concerns: 'everyone',
    operationId,
    summary: 'The OpenAPI document, as /v1/openapi.json has it',
    answers: {
      '200': { description: 'OpenAPI 3.1', content: { [mediaType]: { schema: { type: 'object' } } } },
      ...pageAnswers('429', '503'),
    },
    async handle({ response }) {
      response.setHeader('Content-Type', mediaType);
      response.send(document());
    },
  });
}

function ofSwagger(file: string, kind: keyof typeof ASSET_TYPES): Asset {
  const at = () => pathToFileURL(createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`));
  return { at, contentType: ASSET_TYPES[kind] };
}
