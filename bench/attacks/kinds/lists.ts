import type { Socket } from 'node:net';
import type { Attack } from '../attack.js';
import { askers, authorization, exchange, head, hold, OF_A_USER } from '../sockets.js';
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
      askers(200, tally, () => exchange(nbiPort, [request], OF_A_USER));
    },
  },
  {
    name: 'unread-answers',
    finding: 6,
    describe: '1,000 GETs of an image and of lists by a viewer who reads nothing',
    begin({ nbiPort, viewer }, tally) {
      for (const path of [`/v1/images/${IMAGE}/content`, LIST]) {
        const request = head('GET', path, authorization(viewer));
        const use = (socket: Socket) => void socket.write(request);
        hold({ port: nbiPort, count: 500, localAddress: OF_A_USER, reads: false, tally, use });
      }
    },
  },
];
