import type { Attack } from '../attack.js';
import { askers, authorization, exchange, head } from '../sockets.js';

const ADDRESSES = 64;
/** 9,400 in 25 seconds, over all addresses. */
const EVERY_MS = 170;

/** K2: whoever has many addresses keeps everybody from logging in. */
export const GUESSES: readonly Attack[] = [
  {
    name: 'guesses',
    finding: 10,
    describe: 'Guesses of passwords from 64 addresses at once, 376 a second together',
    logsIn: true,
    begin({ nbiPort }, tally) {
      askers(
        ADDRESSES,
        tally,
        (asker, turn) => {
          const guess = authorization({ user: `user${turn % 50}`, password: `guess ${asker} ${turn}` });
          const request = head('GET', '/v1/method/FreezeUpgrades', `${guess}Connection: close\r\n`);
          return exchange(nbiPort, [request], `127.${asker + 1}.0.1`);
        },
        EVERY_MS,
      );
    },
  },
];
