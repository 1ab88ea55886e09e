// `BlockList` with all of Node 26's members on every Node, and still something that node:net and other threads understand.
import { once } from 'node:events';
import nodeNet from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import net, { type FerronetBlockList, SocketAddress } from 'ferronet';

function list(fill: (list: FerronetBlockList) => void): FerronetBlockList {
  const made = new net.BlockList();
  fill(made);
  return made;
}

// Order is the running Node's own matter.
function rules(fill: (list: FerronetBlockList) => void): string[] {
  return [...list(fill).rules].toSorted();
}

test('subnets in CIDR notation', (t) => {
  t.deepEqual(
    rules((l) => {
      l.addCIDR('10.0.0.0/8');
      l.addCIDRs(['2001:DB8:0::/32', '192.168.0.0/16']);
    }),
    ['Subnet: IPv4 10.0.0.0/8', 'Subnet: IPv4 192.168.0.0/16', 'Subnet: IPv6 2001:db8::/32'],
  );
  t.true(list((l) => l.addCIDR('10.0.0.0/8')).check('10.9.9.9'));
});

test('several addresses', (t) => {
  const mixed = ['1.1.1.1', new SocketAddress({ address: '::1', family: 'ipv6' })];
  t.deepEqual(
    rules((l) => l.addAddresses(mixed)),
    ['Address: IPv4 1.1.1.1', 'Address: IPv6 ::1'],
  );
  t.deepEqual(
    rules((l) => l.addAddresses(['::2'], 'ipv6')),
    ['Address: IPv6 ::2'],
  );
});

test('all or none', (t) => {
  const some = new net.BlockList();
  t.throws(() => some.addAddresses(['1.1.1.1', 'x']), { code: 'ERR_INVALID_ADDRESS' });
  t.throws(() => some.addCIDRs(['10.0.0.0/8', 'x']), { code: 'ERR_INVALID_ARG_VALUE' });
  t.is(some.size, 0);
});

test('rules go out again', (t) => {
  const cases: [fill: (l: FerronetBlockList) => void, ...left: string[]][] = [
    [(l) => (l.addAddress('1.1.1.1'), l.removeAddress('1.1.1.1'))],
    [(l) => (l.addAddress('1.1.1.1'), l.addAddress('1.1.1.1'), l.removeAddress('1.1.1.1'))],
    [(l) => (l.addAddress('2001:db8::1', 'ipv6'), l.removeAddress('2001:DB8:0::1', 'ipv6'))],
    [(l) => (l.addAddress('1.1.1.1'), l.removeAddress('::ffff:1.1.1.1', 'ipv6'))],
    [(l) => (l.addAddress('::ffff:1.1.1.1', 'ipv6'), l.removeAddress('1.1.1.1'))],
    [(l) => (l.addAddress('1.1.1.1'), l.removeAddress('1.1.1.2')), 'Address: IPv4 1.1.1.1'],
    [(l) => (l.addRange('1.1.1.1', '1.1.1.5'), l.removeRange('1.1.1.1', '1.1.1.5'))],
    [(l) => (l.addRange('1.1.1.1', '1.1.1.5'), l.removeRange('1.1.1.1', '1.1.1.4')), 'Range: IPv4 1.1.1.1-1.1.1.5'],
    [(l) => (l.addSubnet('10.0.0.0', 8), l.removeSubnet('10.0.0.0', 8))],
    [(l) => (l.addSubnet('10.0.0.0', 8), l.removeSubnet('10.0.0.5', 8)), 'Subnet: IPv4 10.0.0.0/8'],
    [(l) => (l.addCIDRs(['::1/128', '::1/128']), l.removeCIDR('::1/128')), 'Subnet: IPv6 ::1/128'],
    [(l) => (l.addCIDRs(net.BlockList.PRIVATE_RANGES), l.clear())],
  ];
  for (const [fill, ...left] of cases) t.deepEqual(rules(fill), left, String(fill));
});

test('what is taken out does not block, and the rest does', (t) => {
  const l = list((made) => made.addAddresses(['1.1.1.1', '2.2.2.2', '3.3.3.3']));
  l.removeAddress('2.2.2.2');
  t.deepEqual([l.check('1.1.1.1'), l.check('2.2.2.2'), l.check('3.3.3.3'), l.size], [true, false, true, 2]);
});

test('to JSON and back', (t) => {
  const l = list((made) => {
    made.addAddress('1.1.1.1');
    made.addRange('::1', '::5', 'ipv6');
    made.addCIDR('10.0.0.0/8');
  });
  const copy = list((made) => made.fromJSON(JSON.stringify(l)));
  t.deepEqual([...copy.rules].toSorted(), [...l.rules].toSorted());
  t.deepEqual(copy.toJSON(), copy.rules);
  t.deepEqual(
    rules((made) => made.fromJSON(['Address: IPv4 1.1.1.1', 'nonsense'])),
    ['Address: IPv4 1.1.1.1'],
  );
  t.throws(() => copy.fromJSON(1 as never), { code: 'ERR_INVALID_ARG_TYPE', message: /of type string or string\[\]/ });
  t.throws(() => copy.fromJSON('x'), { instanceOf: SyntaxError });
});

const WRONG: [call: (l: FerronetBlockList) => void, code: string, message: string][] = [
  [
    (l) => l.addCIDR('10.0.0.0'),
    'ERR_INVALID_ARG_VALUE',
    `The argument 'cidr' must contain a prefix length (e.g. "10.0.0.0/8"). Received '10.0.0.0'`,
  ],
  [
    (l) => l.addCIDR('10.0.0.0/08'),
    'ERR_INVALID_ARG_VALUE',
    "The argument 'cidr' prefix length must be a valid integer. Received '10.0.0.0/08'",
  ],
  [
    (l) => l.removeCIDR('10.0.0.0/33'),
    'ERR_OUT_OF_RANGE',
    'The value of "prefix" is out of range. It must be >= 0 && <= 32. Received 33',
  ],
  [(l) => l.addCIDR('10.0.0/8'), 'ERR_INVALID_ADDRESS', 'Invalid socket address'],
  [
    (l) => l.addCIDRs('10.0.0.0/8' as never),
    'ERR_INVALID_ARG_TYPE',
    `The "cidrs" argument must be an instance of Array. Received type string ('10.0.0.0/8')`,
  ],
  [
    (l) => l.addCIDRs([1 as never]),
    'ERR_INVALID_ARG_TYPE',
    'The "cidrs[0]" argument must be of type string. Received type number (1)',
  ],
  [
    (l) => l.addAddresses([null as never]),
    'ERR_INVALID_ARG_TYPE',
    'The "addresses[0]" argument must be of type string. Received null',
  ],
  [
    (l) => l.removeAddress('1.1.1.1', 1 as never),
    'ERR_INVALID_ARG_TYPE',
    'The "family" argument must be of type string. Received type number (1)',
  ],
  [
    (l) => l.removeRange('1.1.1.1', 5 as never),
    'ERR_INVALID_ARG_TYPE',
    'The "end" argument must be of type string. Received type number (5)',
  ],
  [
    (l) => l.removeSubnet(5 as never, 8),
    'ERR_INVALID_ARG_TYPE',
    'The "network" argument must be of type string. Received type number (5)',
  ],
];

test('wrong arguments are refused in the words of Node', (t) => {
  for (const [call, code, message] of WRONG) t.throws(() => call(new net.BlockList()), { code, message });
});

test('node:net takes it for its own, and ferronet takes that of node:net', (t) => {
  const blocked = list((l) => l.addAddress('127.0.0.1'));
  t.true(blocked instanceof nodeNet.BlockList);
  t.true(net.BlockList.isBlockList(blocked));
  t.true(net.BlockList.isBlockList(new nodeNet.BlockList()));
  t.false(net.BlockList.isBlockList({}));
  t.notThrows(() => new net.Socket({ blockList: new nodeNet.BlockList() }));
  const { isBlockList } = nodeNet.BlockList as { isBlockList?: (value: unknown) => boolean };
  t.true(isBlockList?.(blocked) ?? true);
});

test('the block list of node:net is as it was', (t) => {
  const complete = 'size' in nodeNet.BlockList.prototype;
  t.is('addCIDR' in nodeNet.BlockList.prototype, complete);
  t.is(net.BlockList === (nodeNet.BlockList as unknown), complete);
});

test('it travels, and the copy goes on sharing the rules', async (t) => {
  const l = list((made) => made.addCIDR('10.0.0.0/8'));
  l.addAddress('9.9.9.9');
  l.removeAddress('9.9.9.9');
  const clone = structuredClone(l);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(l);
  const [posted] = (await once(port2, 'message')) as [FerronetBlockList];
  port1.close();
  for (const copy of [clone, posted]) {
    t.true(net.BlockList.isBlockList(copy));
    t.deepEqual(copy.rules, l.rules);
    t.true(copy.check('10.1.1.1'));
  }
  l.addAddress('8.8.8.8');
  t.true(clone.check('8.8.8.8'));
});
