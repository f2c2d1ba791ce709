import type { Response } from 'express';
import { parseContentRange, UploadError, wrongRange } from '../../firmware/index.js';
import {
  closedQuery,
  failures,
  jsonAnswer,
  octetsBody,
  type Route,
  ref,
  route,
  scopeOf,
  withinOf,
} from '../http/index.js';
import { imageAnswer, imageView } from '../images/index.js';
import { type ContentParts, dialect, ID, UPLOAD_PATH, uploadAnswer, uploadView } from './upload.js';

/** `PUT /v1/uploads/{id}` */
export function partRoute({ uploads, places }: ContentParts): Route {
  return route({
    method: 'PUT',
    path: UPLOAD_PATH,
    parameters: [ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'uploadPart',
    summary: 'Uploads the next part of an image; the last has it validated',
    description:
      'What came of a part that broke off counts. A part may begin within what is there: those bytes are skipped, and one that lies within it wholly changes nothing. `bytes */TOTAL` without a body has what is complete validated, where a server ended in the midst of that.',
    query: closedQuery(),
    headers: [
      {
        name: 'Content-Range',
        in: 'header',
        required: true,
        description: 'bytes FROM-TO/TOTAL, counted from 0, both counted in.',
        schema: { type: 'string' },
        example: 'bytes 0-1048575/14680064',
      },
    ],
    body: octetsBody,
    answers: {
      '200': imageAnswer('The last part: the library holds the same content and metadata already'),
      '201': imageAnswer('The last part: it has become an image'),
      '202': uploadAnswer('There is more to come'),
      ...failures('Answer', '404', '413', '415', '507'),
      '409': jsonAnswer(
        'It does not begin where the last part ended, which details tell as receivedBytes; another request has the upload under way; or it goes on no more',
        ref('Answer'),
      ),
    },
    async handle(exchange) {
      const { request, response, parameters, user, over } = exchange;
      const scope = scopeOf(exchange);
      const content = await exchange.body();
      const range = parseContentRange(request.headers['content-range']);
      const length = request.headers['content-length'];
      const partBytes = range.part === null ? 0 : range.part.to - range.part.from + 1;
      if (length !== undefined && Number(length) !== partBytes)
        throw wrongRange(`the range of the body, which has ${Number(length)} bytes`);
      try {
        const outcome = await places.run(user?.name ?? '', over, () =>
          uploads.receive(parameters.id, withinOf(exchange), range, content),
        );
        if (outcome.kind === 'waiting') {
          response.status(202).json(dialect.answer(202, uploadView(outcome.upload, scope)));
          return;
        }
        const { image, outcome: became, sameContentAs } = outcome.outcome;
        const code = became === 'created' ? 201 : 200;
        response.status(code).json(dialect.answer(code, { ...imageView(image, scope), sameContentAs }));
      } catch (error) {
        if (!(error instanceof UploadError) || error.receivedBytes === null) throw error;
        tellWhereToGoOn(response, error);
      }
    },
  });
}

/** An object, not a list of problems: a script reads from it where the next part begins. */
function tellWhereToGoOn(response: Response, { field, code, message, receivedBytes }: UploadError): void {
  response.status(409).json(dialect.answer(409, { field, code, expected: message, receivedBytes }));
}
