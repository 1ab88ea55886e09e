// `BlockList` is Node's own class, or on an older Node a subclass of it. A list made with one module has to work in the
// other, and Node's can be sent to workers.
import { BlockList as NodeBlockList } from 'node:net';

import { define } from '../node/define.js';
import { ERR_INVALID_ARG_TYPE } from '../errors/errors.js';
import type * as Full from './full-block-list.js';
import type { SocketAddress } from './socket-address.js';

type Family = 'ipv4' | 'ipv6';

/** What servers and sockets accept: also a list made by node:net, or received from another thread. */
export type AnyBlockList = NodeBlockList;

/** Rules of addresses, ranges and subnets. `check` says whether one of them matches. */
export interface BlockList extends NodeBlockList {
  /** How many rules there are. */
  readonly size: number;
  /**
   * All of them or, if one is wrong, none.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, Error ERR_INVALID_ADDRESS
   */
  addAddresses(addresses: readonly (string | SocketAddress)[], family?: Family): void;
  /**
   * A subnet such as `10.0.0.0/8` or `fe80::/10`.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE, Error ERR_INVALID_ADDRESS
   */
  addCIDR(cidr: string): void;
  /** All of them or, if one is wrong, none. Throws as `addCIDR`. */
  addCIDRs(cidrs: readonly string[]): void;
  /** Does nothing if there is no such rule, as all methods that remove. */
  removeAddress(address: string | SocketAddress, family?: Family): void;
  /** Removes one rule of exactly this range. */
  removeRange(start: string | SocketAddress, end: string | SocketAddress, family?: Family): void;
  /** Removes one rule of exactly this subnet. */
  removeSubnet(net: string | SocketAddress, prefix: number, family?: Family): void;
  /** As `removeSubnet`. */
  removeCIDR(cidr: string): void;
  /** Removes all rules. */
  clear(): void;
  /** The rules. */
  toJSON(): readonly string[];
  /** Adds rules as `toJSON` gave them, or as JSON of those. */
  fromJSON(data: string | readonly string[]): void;
}

export interface BlockListConstructor {
  new (): BlockList;
  readonly prototype: BlockList;
  isBlockList(value: unknown): value is AnyBlockList;
  /** The private, loopback and link-local ranges, for `addCIDRs`. */
  readonly PRIVATE_RANGES: readonly string[];
}

let chosen: BlockListConstructor | undefined;

/** The class. Loaded on first use, as Node loads its own. */
export function blockListClass(): BlockListConstructor {
  return (chosen ??= chooseClass() as unknown as BlockListConstructor);
}

function chooseClass(): typeof NodeBlockList {
  // These came last: with them, Node has all members.
  const isComplete = 'size' in NodeBlockList.prototype && 'PRIVATE_RANGES' in NodeBlockList;
  if (isComplete) return NodeBlockList;
  const { FullBlockList } = require('./full-block-list.js') as typeof Full;
  return define(FullBlockList, 'name', { value: NodeBlockList.name });
}

/** Node's own test, where this Node has one. */
export function isBlockList(value: unknown): value is AnyBlockList {
  // Not in Node 20.
  const { isBlockList: isNodeBlockList } = NodeBlockList as { isBlockList?: (value: unknown) => boolean };
  return isNodeBlockList?.(value) ?? value instanceof NodeBlockList;
}

/**
 * Accepts anything falsy as no block list, as in Node.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for any other value that is not a block list
 */
export function validateBlockList(value: unknown, name: string): asserts value is AnyBlockList | undefined {
  if (value && !isBlockList(value)) throw new ERR_INVALID_ARG_TYPE(name, 'net.BlockList', value);
}
