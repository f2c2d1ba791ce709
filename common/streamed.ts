import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A scavenge frees so much in a millisecond, and less often it would save nothing. */
const COLLECTED_EVERY_BYTES = 4 * 1024 * 1024;

type Collect = (how: { readonly type: 'minor' }) => void;

let noted: ((bytes: number) => void) | null = null;

/**
 * To be told of the bytes of large streams, which come in buffers that die at once. Collects the young generation now and then: V8 counts the
 * bytes of buffers, but collects young objects by their own size, which is next to nothing; before it comes to that, some 64 MiB of
 * buffers have all of memory marked and collected instead, and sessions stand still for a hundredth of a second each time.
 */
export function noteStreamed(bytes: number): void {
  noted ??= collectingEvery(COLLECTED_EVERY_BYTES, youngCollector());
  noted(bytes);
}

/** What is to be told of bytes, and collects the young generation by `collect` whenever so many have come together. */
export function collectingEvery(bytesMax: number, collect: Collect): (bytes: number) => void {
  let bytesSince = 0;
  return (bytes) => {
    bytesSince += bytes;
    if (bytesSince < bytesMax) return;
    bytesSince = 0;
    collect({ type: 'minor' });
  };
}

/**
 * The one way to it that needs no flag on the command line; contexts that exist already are not given it. Where there is none, memory is
 * collected as V8 likes.
 */
function youngCollector(): Collect {
  try {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    if (typeof gc === 'function') return gc as Collect;
  } catch {
    // No upload fails for it.
  }
  return () => {};
}
