// For older Nodes: the members that `BlockList` has since 26.8 and 24.19. A subclass has them, so that node:net's own lists
// do not change. The rules stay in Node's native list, which clones share. It cannot remove a rule, so removing one fills a
// new list.
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

// The symbols under which a list stores its rules: one in Node, two in Deno, none in Bun.
const ruleSymbols = Object.getOwnPropertySymbols(new NodeBlockList());

type WithSymbols = Record<symbol, unknown>;

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
    // An IPv4 address and its IPv4-mapped IPv6 address are the same rule.
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

  /** Adds rules in the form of `rules`, or JSON of them. Ignores unknown ones. */
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

  // A list may contain a range or subnet several times. The newest is removed.
  #removeOne(rule: string): void {
    const { rules } = this;
    const at = rules.indexOf(rule);
    if (at >= 0) this.#fill(rules.toSpliced(at, 1));
  }

  // `rules` begins with the newest.
  #fill(rules: readonly string[]): void {
    const filled = new NodeBlockList();
    for (const rule of rules.toReversed()) addRule(filled, rule);
    if (ruleSymbols.length === 0) delegate(this, filled);
    for (const symbol of ruleSymbols)
      (this as unknown as WithSymbols)[symbol] = (filled as unknown as WithSymbols)[symbol];
  }
}

// Delegates from `list` to `filled` where the rules cannot be replaced.
function delegate(list: NodeBlockList, filled: NodeBlockList): void {
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
