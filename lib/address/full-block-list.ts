// The members of `BlockList` that Node has since 26.8 and 24.19, for older ones. They are in a class of our own that extends
// Node's, so nobody else's block lists change. The rules stay where Node has them, in a native list that clones share; what
// that cannot do, taking a rule out, is done by filling a new one.
import { BlockList as NodeBlockList } from 'node:net';

import { define } from '../node/define.js';
import { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } from '../errors/errors.js';
import type { SocketAddress } from './socket-address.js';
import { socketAddressClass } from './socket-address.js';
import { validateInt32, validateString } from '../errors/validators.js';

type Family = 'ipv4' | 'ipv6';

interface Subnet {
  network: SocketAddress;
  prefix: number;
}

// Where the rules are: Node keeps them under one symbol, Deno under two, and Bun out of sight.
const places = Object.getOwnPropertySymbols(new NodeBlockList());

type WithPlaces = Record<symbol, unknown>;

// `Address: IPv4 1.2.3.4`, `Range: IPv4 1.2.3.4-1.2.3.9`, `Subnet: IPv6 fe80::/10`
const RULE = /^(Address|Range|Subnet): IPv(4|6) (.+)$/;

export class FullBlockList extends NodeBlockList {
  static readonly PRIVATE_RANGES: readonly string[] = Object.freeze([
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '127.0.0.0/8',
    '::1/128',
    '169.254.0.0/16',
    'fe80::/10',
    'fc00::/7',
  ]);

  static isBlockList(value: unknown): value is NodeBlockList {
    return value instanceof NodeBlockList;
  }

  get size(): number {
    return this.rules.length;
  }

  /** All of them or, if one is wrong, none. */
  addAddresses(addresses: readonly (string | SocketAddress)[], family: Family = 'ipv4'): void {
    validateArray(addresses, 'addresses');
    const all = addresses.map((each, i) => socketAddress(each, family, `addresses[${i}]`));
    for (const each of all) this.addAddress(each);
  }

  addCIDR(cidr: string): void {
    const { network, prefix } = subnet(cidr, 'cidr');
    this.addSubnet(network, prefix);
  }

  /** All of them or, if one is wrong, none. */
  addCIDRs(cidrs: readonly string[]): void {
    validateArray(cidrs, 'cidrs');
    const all = cidrs.map((each, i) => subnet(each, `cidrs[${i}]`));
    for (const { network, prefix } of all) this.addSubnet(network, prefix);
  }

  removeAddress(address: string | SocketAddress, family: Family = 'ipv4'): void {
    const { address: text, family: kind } = socketAddress(address, family, 'address');
    // An IPv4 address and the IPv6 one that maps it are the same rule.
    const same = kind === 'ipv4' ? `::ffff:${text}` : text.replace(/^::ffff:(?=.*\.)/, '');
    const gone = new Set([
      `Address: ${label(kind)} ${text}`,
      `Address: ${same.includes(':') ? 'IPv6' : 'IPv4'} ${same}`,
    ]);
    const { rules } = this;
    if (rules.some((rule) => gone.has(rule))) this.#fill(rules.filter((rule) => !gone.has(rule)));
  }

  removeRange(start: string | SocketAddress, end: string | SocketAddress, family: Family = 'ipv4'): void {
    const first = socketAddress(start, family, 'start');
    const last = socketAddress(end, family, 'end');
    this.#removeOne(`Range: ${label(first.family)} ${first.address}-${last.address}`);
  }

  removeSubnet(net: string | SocketAddress, prefix: number, family: Family = 'ipv4'): void {
    this.#removeSubnet({ network: socketAddress(net, family, 'network'), prefix });
  }

  removeCIDR(cidr: string): void {
    this.#removeSubnet(subnet(cidr, 'cidr'));
  }

  clear(): void {
    this.#fill([]);
  }

  toJSON(): readonly string[] {
    return this.rules;
  }

  /** Adds rules as `rules` has them, or as JSON of those. What is no rule is skipped. */
  fromJSON(data: string | readonly string[]): void {
    const parsed: unknown = typeof data === 'string' ? JSON.parse(data) : data;
    if (!Array.isArray(parsed) || !parsed.every((each) => typeof each === 'string')) {
      throw new ERR_INVALID_ARG_TYPE('data', ['string', 'string[]'], parsed);
    }
    for (const rule of parsed) addRule(this, rule as string);
  }

  #removeSubnet({ network, prefix }: Subnet): void {
    validatePrefix(prefix, network);
    this.#removeOne(`Subnet: ${label(network.family)} ${network.address}/${prefix}`);
  }

  // Equal ranges and subnets are there more than once; the newest goes.
  #removeOne(rule: string): void {
    const { rules } = this;
    const at = rules.indexOf(rule);
    if (at >= 0) this.#fill(rules.toSpliced(at, 1));
  }

  // `rules` begins with the newest.
  #fill(rules: readonly string[]): void {
    const filled = new NodeBlockList();
    for (const rule of rules.toReversed()) addRule(filled, rule);
    if (places.length === 0) standIn(filled, this);
    for (const place of places) (this as unknown as WithPlaces)[place] = (filled as unknown as WithPlaces)[place];
  }
}

// Has `list` do by `filled` what it would do by the rules that cannot be reached.
function standIn(filled: NodeBlockList, list: NodeBlockList): void {
  for (const name of ['addAddress', 'addRange', 'addSubnet', 'check'] as const) {
    const value: unknown = filled[name].bind(filled);
    define(list, name, { value, writable: true, configurable: true });
  }
  define(list, 'rules', { get: () => filled.rules, configurable: true });
}

function addRule(list: NodeBlockList, rule: string): void {
  const { 1: kind, 2: version, 3: text = '' } = RULE.exec(rule) ?? [];
  const family: Family = `ipv${version === '6' ? '6' : '4'}`;
  if (kind === 'Address') list.addAddress(text, family);
  else if (kind === 'Range') {
    const { 0: start = '', 1: end = '' } = text.split('-');
    list.addRange(start, end, family);
  } else if (kind === 'Subnet') {
    const { 0: network = '', 1: prefix } = text.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
}

function label(family: string): string {
  return family === 'ipv6' ? 'IPv6' : 'IPv4';
}

function validateArray(value: unknown, name: string): void {
  if (!Array.isArray(value)) throw new ERR_INVALID_ARG_TYPE(name, 'Array', value);
}

function socketAddress(address: string | SocketAddress, family: Family, name: string): SocketAddress {
  const SocketAddress = socketAddressClass();
  if (SocketAddress.isSocketAddress(address)) return address;
  validateString(address, name);
  validateString(family, 'family');
  return new SocketAddress({ address, family });
}

function validatePrefix(prefix: number, { family }: SocketAddress): void {
  validateInt32(prefix, 'prefix', 0, family === 'ipv6' ? 128 : 32);
}

/** @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE, Error ERR_INVALID_ADDRESS */
function subnet(cidr: string, name: string): Subnet {
  validateString(cidr, name);
  const at = cidr.lastIndexOf('/');
  if (at < 0) throw new ERR_INVALID_ARG_VALUE('cidr', cidr, 'must contain a prefix length (e.g. "10.0.0.0/8")');
  const address = cidr.slice(0, at);
  const digits = cidr.slice(at + 1);
  if (!/^-?(?:0|[1-9]\d*)$/.test(digits)) {
    throw new ERR_INVALID_ARG_VALUE('cidr', cidr, 'prefix length must be a valid integer');
  }
  const network = socketAddress(address, address.includes(':') ? 'ipv6' : 'ipv4', 'address');
  const prefix = Number(digits);
  validatePrefix(prefix, network);
  return { network, prefix };
}
