// `BlockList` and `SocketAddress` are Node's own classes: they hold no descriptor, they travel to workers, and a list made
// with one module must be understood by the other.
import { BlockList, SocketAddress } from 'node:net';

import { ERR_INVALID_ARG_TYPE } from './errors.js';

export { BlockList, SocketAddress };

// Node 20 has no such test of its own.
const { isBlockList: isNodeBlockList } = BlockList as { isBlockList?: (value: unknown) => boolean };

/** Whether `value` is a `BlockList`, by Node's own test where this Node has it. */
export function isBlockList(value: unknown): value is BlockList {
  return isNodeBlockList?.(value) ?? value instanceof BlockList;
}

/**
 * Anything falsy is no block list, as in Node.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for any other value that is not a `BlockList`
 */
export function validateBlockList(value: unknown, name: string): asserts value is BlockList | undefined {
  if (value && !isBlockList(value)) throw new ERR_INVALID_ARG_TYPE(name, 'net.BlockList', value);
}
