import process from 'node:process';

/** A process of its own that sends back every handle that it is sent, and does nothing else. See `acceptors.ts`. */
process.on('message', (message, handle) => {
  process.send?.(message, handle);
});
