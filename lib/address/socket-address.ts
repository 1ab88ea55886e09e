// `SocketAddress`: Node's own, except for `parse`. Instances are Node's, so that they can be sent to workers and `instanceof`
// works across both modules. Only the constructor is ferronet's, with Node's prototype.
import { SocketAddress as NodeSocketAddress } from 'node:net';
import { URL } from 'node:url';

import { isIPv4 } from './is-ip.js';
import { define } from '../node/define.js';
import { validateString } from '../errors/validators.js';

/** An IP address with a port. */
export type SocketAddress = NodeSocketAddress;

/** Options of `new SocketAddress()`. */
export interface SocketAddressOptions {
  /** Default `127.0.0.1`, for IPv6 `::`. */
  address?: string | undefined;
  /** Default `ipv4`. */
  family?: 'ipv4' | 'ipv6' | undefined;
  /** 0 to 65535. Default 0. */
  port?: number | undefined;
  /** Of IPv6. Default 0. */
  flowlabel?: number | undefined;
}

export interface SocketAddressConstructor {
  /** @throws Error ERR_INVALID_ADDRESS; TypeError or RangeError for wrong options */
  new (options?: SocketAddressOptions): SocketAddress;
  readonly prototype: SocketAddress;
  isSocketAddress(value: unknown): value is SocketAddress;
  /**
   * The address in `1.2.3.4`, `1.2.3.4:80`, `[::1]` or `[::1]:80`; `undefined` for any other text.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE if `input` is not a string
   */
  parse(input: string): SocketAddress | undefined;
}

// As in Node, the host and port of a URL. A URL omits the default port of its scheme, 80 here, for which node:net returns 0.
// Parsing with another scheme, whose default differs, yields the real port.
function parse(input: string): SocketAddress | undefined {
  validateString(input, 'input');
  if (!URL.canParse(`http://${input}`)) return undefined;
  const { hostname, port } = new URL(`http://${input}`);
  const real = Number(port || new URL(`https://${input}`).port);
  if (hostname.startsWith('[')) {
    return new NodeSocketAddress({ address: hostname.slice(1, -1), family: 'ipv6', port: real });
  }
  return isIPv4(hostname) ? new NodeSocketAddress({ address: hostname, port: real }) : undefined;
}

function construct(options: SocketAddressOptions | undefined): SocketAddress {
  const target = new.target as unknown as typeof NodeSocketAddress | undefined;
  if (target === undefined) throw new TypeError("Class constructor SocketAddress cannot be invoked without 'new'");
  const args = options === undefined ? [] : [options];
  return Reflect.construct(NodeSocketAddress, args, target) as SocketAddress;
}

let made: SocketAddressConstructor | undefined;

/** The constructor. Loaded on first use, as Node loads its own. */
export function socketAddressClass(): SocketAddressConstructor {
  return (made ??= makeConstructor());
}

function makeConstructor(): SocketAddressConstructor {
  const { isSocketAddress } = NodeSocketAddress as unknown as Pick<SocketAddressConstructor, 'isSocketAddress'>;
  define(construct, 'name', { value: NodeSocketAddress.name });
  define(construct, 'length', { value: NodeSocketAddress.length });
  define(construct, 'prototype', { value: NodeSocketAddress.prototype, writable: false });
  define(construct, 'isSocketAddress', { value: isSocketAddress, writable: true, configurable: true });
  define(construct, 'parse', { value: parse, writable: true, configurable: true });
  return construct as unknown as SocketAddressConstructor;
}
