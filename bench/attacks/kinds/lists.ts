import type { Attack } from '../attack.js';
import { askers, authorization, exchange, head, hold } from '../sockets.js';
import { IMAGE } from '../stage-names.js';

const LIST = '/v1/dyn/FirmwareStorage/.*';

/** K2: bounded in total, not per client. */
export const LISTS: readonly Attack[] = [
  {
    name: 'empty-lists',
    finding: 5,
    describe: '200 lists at once that match none of 20,000 rules, by a viewer',
    begin({ nbiPort, viewer }, tally) {
      const request = head('GET', `${LIST}?author=nobody`, `${authorization(viewer)}Connection: close\r\n`);
      askers(200, tally, () => exchange(nbiPort, [request]));
    },
  },
  {
    name: 'unread-answers',
    finding: 6,
    describe: '1,000 GETs of an image and of lists by a viewer who reads nothing',
    begin({ nbiPort, viewer }, tally) {
      for (const path of [`/v1/images/${IMAGE}/content`, LIST]) {
        const request = head('GET', path, authorization(viewer));
        hold({ port: nbiPort, count: 500, reads: false, tally, use: (socket) => socket.write(request) });
      }
    },
  },
];
