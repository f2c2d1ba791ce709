import {
  ApiError,
  failures,
  invalid,
  jsonAnswer,
  objectBody,
  PASSWORD_SCHEMA,
  type Places,
  passwordOf,
  type Route,
  ref,
  route,
} from '../http/index.js';
import type { Users } from '../users/index.js';
import { OK, sendAnswer } from './dialect.js';

const OLD_PASSWORD = 'the password that is yours now';

/** `POST /v1/method/ChangePassword`: a user's own, by whoever knows the old one. */
export function changePasswordRoute(users: Users, hashing: Places): Route {
  return route({
    method: 'POST',
    path: '/v1/method/ChangePassword',
    role: 'viewer',
    concerns: 'everyone',
    operationId: 'changePassword',
    summary: 'Gives whoever asks another password',
    description: 'A wrong old password costs an attempt to log in. Tokens of the user stay as they are.',
    body: objectBody({
      required: ['oldPassword', 'newPassword'],
      properties: {
        oldPassword: { type: 'string', maxLength: 1_024, writeOnly: true },
        newPassword: PASSWORD_SCHEMA,
      },
      others: 'only oldPassword and newPassword',
      example: { oldPassword: 'as it was', newPassword: 'as it is to be' },
    }),
    answers: {
      '200': jsonAnswer('The new one holds', ref('MethodAnswer'), OK),
      ...failures('MethodAnswer', '409', '413', '415', '507'),
    },
    async handle({ response, user, by, body, over }) {
      const { oldPassword, newPassword } = await body();
      const password = passwordOf('newPassword', newPassword);
      if (typeof oldPassword !== 'string') throw invalid('oldPassword', OLD_PASSWORD);
      if (password === undefined) throw invalid('newPassword', 'the password that is to be yours');
      const name = user?.name ?? '';
      const verification = await hashing.run(name, over, () =>
        users.changePassword(
          {
            name,
            password: oldPassword,
            address: by?.address ?? '',
            ...(by?.requestId !== undefined && { requestId: by.requestId }),
          },
          password,
          by,
        ),
      );
      switch (verification.kind) {
        case 'verified':
          return sendAnswer(response, { code: 200, message: 'OK' });
        case 'denied':
          throw invalid('oldPassword', OLD_PASSWORD);
        case 'throttled':
          throw new ApiError(
            429,
            [
              {
                field: 'oldPassword',
                expected: `fewer attempts with a wrong password: wait ${verification.retryAfterSeconds} seconds`,
              },
            ],
            { 'Retry-After': String(verification.retryAfterSeconds) },
          );
        default:
          return verification satisfies never;
      }
    },
  });
}
