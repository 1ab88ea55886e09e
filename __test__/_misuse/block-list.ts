// Wrong arguments of `BlockList` and `SocketAddress`.
import type { Net } from '../_helpers/implementations.js';
import { misused, type Row, type Rows } from '../_helpers/misuse-rows.js';

// Wrong on purpose: past the types, as JavaScript would.
type Loose = Record<string, (...args: unknown[]) => unknown>;
const list =
  (name: string, ...args: unknown[]) =>
  (net: Net): unknown =>
    (new net.BlockList() as unknown as Loose)[name]?.(...args);
const address = (options: unknown) => (net: Net) => new net.SocketAddress(options as never);
const parse = (input: unknown) => (net: Net) => (net.SocketAddress as unknown as Loose)['parse']?.(input);

const invalid = (type: 'TYPE' | 'VALUE', message: string): string =>
  misused('TypeError', `ERR_INVALID_ARG_${type}`, message);

// Methods that older Nodes do not have: there is nothing to compare with then.
const newer = (call: Row['call'], node26: string): Row => ({ call, node26 });

// V8's words, which change with it.
function syntaxError(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return (error as Error).message;
  }
}

export const rows: Rows = {
  'addAddress(1)': list('addAddress', 1),
  "addAddress('x')": list('addAddress', 'x'),
  "addAddress('1.1.1.1', 'ipv9')": list('addAddress', '1.1.1.1', 'ipv9'),
  "addAddress('::1') as IPv4": list('addAddress', '::1'),
  "addAddress('1.1.1.1', 4)": list('addAddress', '1.1.1.1', 4),
  'check(1)': list('check', 1),
  'check()': list('check'),
  "check('x')": list('check', 'x'),
  "addRange('10.0.0.9', '10.0.0.1')": list('addRange', '10.0.0.9', '10.0.0.1'),
  "addRange('10.0.0.1', 'x')": list('addRange', '10.0.0.1', 'x'),
  "addRange('10.0.0.1')": list('addRange', '10.0.0.1'),
  "addSubnet('1.1.1.1', 33)": list('addSubnet', '1.1.1.1', 33),
  "addSubnet('::1', 129, 'ipv6')": list('addSubnet', '::1', 129, 'ipv6'),
  "addSubnet('1.1.1.1', 'x')": list('addSubnet', '1.1.1.1', 'x'),
  "addSubnet('x', 8)": list('addSubnet', 'x', 8),

  'addCIDR(1)': newer(
    list('addCIDR', 1),
    invalid('TYPE', 'The "cidr" argument must be of type string. Received type number (1)'),
  ),
  "addCIDR('10.0.0.0')": newer(
    list('addCIDR', '10.0.0.0'),
    invalid('VALUE', `The argument 'cidr' must contain a prefix length (e.g. "10.0.0.0/8"). Received '10.0.0.0'`),
  ),
  "addCIDR('10.0.0.0/x')": newer(
    list('addCIDR', '10.0.0.0/x'),
    invalid('VALUE', `The argument 'cidr' prefix length must be a valid integer. Received '10.0.0.0/x'`),
  ),
  "addCIDR('10.0.0.0/33')": newer(
    list('addCIDR', '10.0.0.0/33'),
    misused(
      'RangeError',
      'ERR_OUT_OF_RANGE',
      'The value of "prefix" is out of range. It must be >= 0 && <= 32. Received 33',
    ),
  ),
  "addCIDRs('x')": newer(
    list('addCIDRs', 'x'),
    invalid('TYPE', `The "cidrs" argument must be an instance of Array. Received type string ('x')`),
  ),
  'fromJSON(1)': newer(
    list('fromJSON', 1),
    invalid('TYPE', 'The "data" argument must be of type string or string[]. Received type number (1)'),
  ),
  "fromJSON('{')": newer(list('fromJSON', '{'), `threw SyntaxError[] ${JSON.stringify(syntaxError('{'))} ()`),

  "new SocketAddress('x')": address('x'),
  "new SocketAddress({ address: 'nope' })": address({ address: 'nope' }),
  "new SocketAddress({ family: 'x' })": address({ family: 'x' }),
  'new SocketAddress({ port: 70000 })': address({ port: 70_000 }),
  'new SocketAddress({ flowlabel: -1 })': address({ flowlabel: -1 }),
  'SocketAddress.parse(1)': newer(
    parse(1),
    invalid('TYPE', 'The "input" argument must be of type string. Received type number (1)'),
  ),
  "SocketAddress.parse('x')": newer(parse('x'), 'returned undefined'),
};
