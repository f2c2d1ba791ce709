import { closedQuery, formBody, invalid, queryParameter, type Route, route } from '../http/index.js';
import { checkFormSize } from './form-size.js';
import { type ImageParts, LIST_PATH } from './image.js';
import { SIGNATURE_HEADER } from './signature.js';
import { answerUpload, SAID, UPLOAD_ANSWERS } from './uploading.js';

const FIELDS = [
  queryParameter('name', 'What the image is called; without: as the file is where it comes from.'),
  ...SAID,
] as const;
const IN_FORM = closedQuery(...FIELDS);

/** `POST /v1/images` */
export function formRoute(parts: ImageParts): Route {
  return route({
    method: 'POST',
    path: LIST_PATH,
    role: 'operator',
    concerns: 'organizations',
    operationId: 'uploadImageByForm',
    summary: 'Uploads an image by a form, as pages and curl -F send it: its fields, and behind them the file',
    query: closedQuery(),
    headers: [SIGNATURE_HEADER],
    body: formBody(FIELDS),
    answers: UPLOAD_ANSWERS,
    async handle(exchange) {
      checkFormSize(parts.uploads, exchange.request);
      const { fields, fileName, content } = await exchange.body();
      // As of a query: each once, and no others.
      const { name = fileName, ...said } = IN_FORM.read(fields);
      if (name === '')
        throw invalid('name', 'what the image is called, where the file has no name of its own');
      await answerUpload(parts, exchange, { name, said, content: async () => content });
    },
  });
}
