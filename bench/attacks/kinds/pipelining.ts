import type { Attack } from '../attack.js';
import { authorization, head, hold, OF_A_USER, pipelineAndDrop } from '../sockets.js';
import { IMAGE } from '../stage-names.js';

/** K1: an answer that never gets a socket never ends, and what waits for its end leaks. */
export const PIPELINING: readonly Attack[] = [
  {
    name: 'file-pipeline',
    finding: 1,
    describe: 'GETs of an image by token on the file port, 1,015 in one go, dropped; 4,096 descriptors',
    server: { descriptors: 4_096 },
    begin({ filePort, downloadPath }, tally) {
      pipelineAndDrop(filePort, head('GET', downloadPath), { count: 1_015, connections: 1 }, tally);
    },
  },
  {
    name: 'content-pipeline',
    finding: 2,
    describe: 'GETs of an image by a viewer, 600 in one go on two connections, dropped',
    begin({ nbiPort, viewer }, tally) {
      const request = head('GET', `/v1/images/${IMAGE}/content`, authorization(viewer));
      pipelineAndDrop(nbiPort, request, { count: 600, connections: 2, localAddress: OF_A_USER }, tally);
    },
  },
  {
    name: 'openapi-pipeline',
    finding: 3,
    describe: 'GETs of /v1/openapi.json without log-in, 1,585 in one go on 20 connections, none read',
    begin({ nbiPort }, tally) {
      const all = head('GET', '/v1/openapi.json').repeat(1_585);
      hold({ port: nbiPort, count: 20, reads: false, tally, use: (socket) => socket.write(all) });
    },
  },
];
