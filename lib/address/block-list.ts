// `BlockList` is Node's own class, or where that is old, one that extends it: block lists hold no descriptor, they travel to
// workers, and a list made with one module must be understood by the other.
import { BlockList as NodeBlockList } from 'node:net';

import { define } from '../node/define.js';
import { ERR_INVALID_ARG_TYPE } from '../errors/errors.js';
import type * as Full from './full-block-list.js';
import type { SocketAddress } from './socket-address.js';

type Family = 'ipv4' | 'ipv6';

/** What servers and sockets take for one: also a list made by node:net, and one that came from another thread. */
export type AnyBlockList = NodeBlockList;

/** Rules of addresses, ranges and subnets. `check` tells whether one of them holds. */
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
  /** Does nothing if there is no such rule; so do the others. */
  removeAddress(address: string | SocketAddress, family?: Family): void;
  /** Takes one rule of exactly this range out. */
  removeRange(start: string | SocketAddress, end: string | SocketAddress, family?: Family): void;
  /** Takes one rule of exactly this subnet out. */
  removeSubnet(net: string | SocketAddress, prefix: number, family?: Family): void;
  /** As `removeSubnet`. */
  removeCIDR(cidr: string): void;
  /** Takes all rules out. */
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
  /** What is no address of the public internet: private, loopback and link-local ranges, as for `addCIDRs`. */
  readonly PRIVATE_RANGES: readonly string[];
}

let chosen: BlockListConstructor | undefined;

/** The class. Node loads its own when it is first asked for, and so does this. */
export function blockListClass(): BlockListConstructor {
  return (chosen ??= chooseClass() as unknown as BlockListConstructor);
}

function chooseClass(): typeof NodeBlockList {
  // All members are there, or what came with the last of them is missing.
  const isComplete = 'size' in NodeBlockList.prototype && 'PRIVATE_RANGES' in NodeBlockList;
  if (isComplete) return NodeBlockList;
  const { FullBlockList } = require('./full-block-list.js') as typeof Full;
  // Under Node's name.
  return define(FullBlockList, 'name', { value: NodeBlockList.name });
}

/** Whether `value` is a block list, by Node's own test where this Node has it. */
export function isBlockList(value: unknown): value is AnyBlockList {
  // Node 20 has no such test of its own.
  const { isBlockList: isNodeBlockList } = NodeBlockList as { isBlockList?: (value: unknown) => boolean };
  return isNodeBlockList?.(value) ?? value instanceof NodeBlockList;
}

/**
 * Anything falsy is no block list, as in Node.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for any other value that is not a block list
 */
export function validateBlockList(value: unknown, name: string): asserts value is AnyBlockList | undefined {
  if (value && !isBlockList(value)) throw new ERR_INVALID_ARG_TYPE(name, 'net.BlockList', value);
}
