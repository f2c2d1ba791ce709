import { cutFields, type Exchange, JSON_TYPE, sendStreamed } from '../../http/index.js';
import { askingOf } from './asking.js';
import type { BodyData } from './body.js';
import { allowOf, type Call, type Endpoint } from './endpoint.js';
import { mannersOf } from './headers.js';
import { type ListPage, listPage } from './list.js';
import type { EndpointParts, Page, PageMaker } from './page.js';
import { jsonTexts, rendered, wanted } from './rendering.js';

/** What a method of an endpoint is handed. @param more  what its page is to know beside its answer */
export function callOf(
  exchange: Exchange<string, URLSearchParams, BodyData>,
  endpoint: Endpoint,
  { reading, page }: EndpointParts,
  more: Pick<Page, 'isChangeable'> = {},
): Call {
  const { request, response, parameters } = exchange;
  const allow = allowOf(endpoint);
  const send = sending(exchange, endpoint, page, more);
  const long: Call['long'] = (read) => reading.long(exchange, read);
  return {
    exchange,
    request,
    response,
    asking: askingOf(exchange),
    parameters,
    body: () => exchange.body(),
    send,
    long,
    change: (change) => reading.change(exchange, change),
    sendStreamed: (fields) =>
      long(async (turn) => {
        const as = wanted({ request });
        if (as.kind === 'html' || request.method === 'HEAD') {
          send(200, await cutFields(await fields(turn)));
          return;
        }
        const texts = jsonTexts(await fields(turn), as.indent);
        await sendStreamed(exchange, texts, () => {
          response.status(200).set({ ...mannersOf(request, allow) });
          response.setHeader('Content-Type', JSON_TYPE);
        });
      }),
    async sendList(source, ordering, view) {
      send(
        200,
        await long(async (turn) => {
          const found = await listPage(request, source, ordering, turn);
          return { ...pageView(found), results: await viewed(found, (item) => view(item, turn)) };
        }),
      );
    },
  };
}

/** What answers a request as it wants its answer. */
export function sending(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  endpoint: Endpoint,
  page: PageMaker,
  more: Pick<Page, 'isChangeable'> = {},
): Call['send'] {
  const allow = allowOf(endpoint);
  return (status, data) => {
    response.status(status).set({ ...mannersOf(request, allow) });
    if (data === undefined) {
      response.end();
      return;
    }
    const { headers, body } = rendered({ request, status, data, endpoint, allow, ...more }, page);
    // Not express's `set`, which has its own mind of charsets.
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.send(Buffer.from(body));
  };
}

function pageView({ count, next, previous }: ListPage<unknown>) {
  return { count, next, previous };
}

async function viewed<Item>({ items }: ListPage<Item>, view: (item: Item) => unknown): Promise<unknown[]> {
  const views: unknown[] = [];
  for (const item of items) views.push(await view(item));
  return views;
}
