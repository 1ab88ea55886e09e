// How much a socket buffers. Streams of Node 20 buffer 16 KiB by default, a fourth of what one read returns; those of later
// Nodes 64 KiB.
import { getDefaultHighWaterMark } from 'node:stream';

const SMALL_DEFAULT = 16 * 1024;
const isSmallByDefault: boolean = getDefaultHighWaterMark(false) === SMALL_DEFAULT;

/** Bytes that a socket buffers in each direction by default: 64 KiB, unless the program has set a default of its own. */
export function defaultHighWaterMark(): number {
  const current = getDefaultHighWaterMark(false);
  return isSmallByDefault && current === SMALL_DEFAULT ? 64 * 1024 : current;
}
