// setKeepAlive truncates times below a second to 0, and warns of it.
import { once } from 'node:events';
import test from 'ava';
import net, { type SetKeepAliveOptions } from 'ferronet';

type Arguments = [enable?: boolean, initialDelay?: number, interval?: number] | [options: SetKeepAliveOptions];

const cases: [args: Arguments, ...warnings: RegExp[]][] = [
  [[true, 400], /initialDelay of 400 ms.*at least 1000 ms/],
  [[true, 5000, 500], /interval of 500 ms/],
  [[true, 400, 999], /initialDelay of 400 ms/, /interval of 999 ms/],
  [[{ enable: true, initialDelay: 999 }], /initialDelay of 999 ms/],
  [[{ enable: true, interval: 1 }], /interval of 1 ms/],
  [[true, 1000, 1000]],
  [[true, 0, 0]],
  [[true, -5]],
  [[true]],
  [[false, 400]],
];

test.serial('each lost time once, and only what is lost', async (t) => {
  for (const [args, ...expected] of cases) {
    const messages: string[] = [];
    const listener = ({ name, message }: Error): void => {
      if (name === 'KeepAliveWarning') messages.push(message);
    };
    process.on('warning', listener);
    const socket = new net.Socket();
    // The second call sets what is set already.
    for (const _ of [1, 2]) socket.setKeepAlive(...(args as [boolean, number, number]));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    t.is(messages.length, expected.length, JSON.stringify(args));
    for (const [i, pattern] of expected.entries()) t.regex(messages[i] ?? '', pattern);
  }
});

test.serial('the socket goes on, with what the system has', async (t) => {
  const warned = once(process, 'warning');
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = net.connect(port, '127.0.0.1').setKeepAlive(true, 10).resume();
  await once(client, 'close');
  t.is(((await warned) as [Error])[0].name, 'KeepAliveWarning');
  server.close();
});
