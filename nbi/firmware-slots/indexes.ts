import { LOG_IN_PATH } from './authentication.js';
import { type Endpoint, method } from './endpoint.js';

/** What there is below each, by name; `upload` is not among what is at `/firmware`, as the reference has it elsewhere. */
const INDEXES = [
  {
    path: '',
    operationId: 'listFirmwareSlotsApi',
    summary: 'Lists what there is at the device',
    parent: null,
    below: { authentication: LOG_IN_PATH, firmware: '/firmware', upload: '/upload/firmware' },
  },
  {
    path: '/firmware',
    operationId: 'listFirmwareOfDevice',
    summary: 'Lists what concerns firmware',
    parent: '',
    below: {
      fetch: '/firmware/fetch',
      slots: '/firmware/slots',
      test: '/firmware/test',
      upgrade: '/firmware/upgrade',
    },
  },
] as const;

export function indexEndpoints(): readonly Endpoint[] {
  return INDEXES.map(({ path, operationId, summary, parent, below }) => ({
    path,
    methods: [
      method({
        method: 'GET',
        role: 'viewer',
        operationId,
        summary,
        answer: { status: 200, description: 'Links', schema: 'FirmwareSlotsList' },
        async handle({ href, send }) {
          const links = Object.entries(below).map(([name, to]): [string, string] => [name, href(to)]);
          send(200, {
            items: links.map(([key, to]) => ({ key, meta: { href: to } })),
            meta: {
              href: href(path),
              parent: parent === null ? null : href(parent),
              ...Object.fromEntries(links),
            },
          });
        },
      }),
    ],
  }));
}
