// `SocketAddress` is Node's, except for `parse`.
import nodeNet from 'node:net';
import test from 'ava';
import { SocketAddress } from 'ferronet';

const parsed: [input: string, address?: string, port?: number][] = [
  ['1.2.3.4', '1.2.3.4', 0],
  ['1.2.3.4:', '1.2.3.4', 0],
  ['1.2.3.4:0', '1.2.3.4', 0],
  ['1.2.3.4:80', '1.2.3.4', 80],
  ['1.2.3.4:0080', '1.2.3.4', 80],
  ['1.2.3.4:81', '1.2.3.4', 81],
  ['1.2.3.4:443', '1.2.3.4', 443],
  ['1.2.3.4:65535', '1.2.3.4', 65_535],
  ['0x7f.1:9', '127.0.0.1', 9],
  ['[::1]', '::1', 0],
  ['[::1]:80', '::1', 80],
  ['[2001:DB8:0::1]:443', '2001:db8::1', 443],
  ['1.2.3.4:65536'],
  ['1.2.3.4:x'],
  ['::1'],
  ['localhost:80'],
  ['a.test'],
  [''],
];

for (const [input, address, port] of parsed) {
  test(`parse(${JSON.stringify(input)})`, (t) => {
    const found = SocketAddress.parse(input);
    t.is(found?.address, address);
    t.is(found?.port, port);
    if (address !== undefined) t.is(found?.family, address.includes(':') ? 'ipv6' : 'ipv4');
  });
}

test('parse wants a string', (t) => {
  t.throws(() => SocketAddress.parse(1 as never), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: 'The "input" argument must be of type string. Received type number (1)',
  });
});

test("the instances are Node's, whichever way they came", (t) => {
  const made = new SocketAddress({ address: '1.2.3.4', port: 5 });
  for (const one of [made, structuredClone(made), SocketAddress.parse('1.2.3.4:5'), new nodeNet.SocketAddress({})]) {
    t.true(one instanceof SocketAddress);
    t.true(one instanceof nodeNet.SocketAddress);
    t.true(SocketAddress.isSocketAddress(one));
  }
  t.is(new SocketAddress().address, '127.0.0.1');
  t.throws(() => (SocketAddress as unknown as () => void)(), { instanceOf: TypeError });
  t.throws(() => new SocketAddress({ port: 70_000 }), { code: 'ERR_SOCKET_BAD_PORT' });
});

test('it can be extended', (t) => {
  class Named extends SocketAddress {
    readonly name = 'here';
  }
  const named = new Named({ address: '1.2.3.4' });
  t.deepEqual([named.name, named.address, named instanceof SocketAddress], ['here', '1.2.3.4', true]);
});
