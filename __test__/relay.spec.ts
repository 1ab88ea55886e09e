// Which pipes become native relays, and which do not: what is counted is the reactor's.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';

import test from 'ava';

import { Between, type BetweenOptions, pause, relays, untilRelays } from './_helpers/between.js';
import { ours } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

async function between(run: (between: Between) => Promise<void>, options: BetweenOptions = {}): Promise<void> {
  const opened = await Between.open(ours, {}, options);
  try {
    await run(opened);
  } finally {
    opened.close();
    await untilRelays(ours, 0);
  }
}

/** Sends for a while and returns the number of relays. */
async function relaysAfter(opened: Between, messages = 8): Promise<number> {
  for (let n = 0; n < messages; n++) {
    opened.client.write('x');
    await pause(3);
  }
  return relays();
}

function noRelay(title: string, prepare: (opened: Between) => unknown, options: BetweenOptions = {}): void {
  test.serial(`no relay: ${title}`, async (t) => {
    await between(async (opened) => {
      await prepare(opened);
      t.is(await relaysAfter(opened), 0);
      t.true(opened.front.bytesRead > 0, 'all the same it flows');
    }, options);
  });
}

test.serial(
  'a pipe from socket to socket becomes one after its first chunks, and a chunk is no event then',
  async (t) => {
    await between(async (opened) => {
      opened.front.pipe(opened.back);
      await opened.send('client', 'x');
      t.is(relays(), 0, 'not for a connection of one message');
      t.is(await relaysAfter(opened), 1);
      let chunks = 0;
      const push = opened.front.push;
      const before = opened.front.bytesRead;
      Object.defineProperty(opened.front, 'push', {
        configurable: true,
        value(this: Socket, chunk: unknown) {
          chunks += 1;
          return push.call(this, chunk);
        },
      });
      await opened.send('client', 'native');
      t.is(chunks, 0);
      t.is(opened.front.bytesRead, before + 6);
    });
  },
);

test.serial('with the default options written out', async (t) => {
  await between(async (opened) => {
    opened.front.pipe(opened.back, { end: true });
    t.is(await relaysAfter(opened), 1);
  });
});

const listener = (): void => {};
noRelay('a listener of data', ({ front, back }) => front.pipe(back) && front.on('data', listener));
noRelay('a listener of data from before', ({ front, back }) => front.on('data', listener) && front.pipe(back));
noRelay('an encoding', ({ front, back }) => front.setEncoding('utf8').pipe(back));
noRelay('a listener for drain', ({ front, back }) => front.pipe(back) && back.on('drain', listener));
noRelay('a listener for pause', ({ front, back }) => front.pipe(back) && front.on('pause', listener));
noRelay('{ end: false }', ({ front, back }) => front.pipe(back, { end: false }));
noRelay('two destinations', ({ front, back }) => front.pipe(back) && front.pipe(new PassThrough().resume()));
noRelay('a transform between', ({ front, back }) => front.pipe(new PassThrough()).pipe(back));
noRelay('a corked destination', ({ front, back }) => back.cork() ?? front.pipe(back));
noRelay('the option nativeRelay: false', ({ front, back }) => front.pipe(back), { nativeRelay: false });
noRelay('a write of the user’s own', ({ front, back }) => {
  back.write = back.write.bind(back) as typeof back.write;
  front.pipe(back);
});
noRelay('an emit of the user’s own', ({ front, back }) => {
  front.emit = front.emit.bind(front) as typeof front.emit;
  front.pipe(back);
});

function endsIt(title: string, act: (opened: Between) => unknown): void {
  test.serial(`it ends: ${title}`, async (t) => {
    await between(async (opened) => {
      opened.front.pipe(opened.back);
      await opened.warm('client', 1);
      await act(opened);
      t.is(relays(), 0);
    });
  });
}

endsIt('on(data)', ({ front }) => front.on('data', listener));
endsIt('addListener(readable)', ({ front }) => front.addListener('readable', listener));
endsIt('prependListener(data)', ({ front }) => front.prependListener('data', listener));
endsIt('once(data)', ({ front }) => front.once('data', listener));
endsIt('an iterator', async ({ front, client }) => {
  const iterator = front[Symbol.asyncIterator]();
  const next = iterator.next();
  client.write('x');
  await next;
});
endsIt('unpipe()', ({ front }) => front.unpipe());
endsIt('pause()', ({ front }) => front.pause());
endsIt('setEncoding()', ({ front }) => front.setEncoding('latin1'));
endsIt('pipe() to another', ({ front }) => front.pipe(new PassThrough()));
endsIt('removeAllListeners()', ({ front }) => front.removeAllListeners());
endsIt('write() on the destination', ({ back }) => back.write('x'));
endsIt('cork() of the destination', ({ back }) => back.cork());
endsIt('end() of the destination', ({ back }) => back.end());
endsIt('a listener of drain', ({ back }) => back.on('drain', listener));
endsIt('destroy() of the destination', ({ back }) => back.destroy());
endsIt('destroy() of the source', ({ front }) => front.destroy());
endsIt('the end of the source', async ({ front, client }) => {
  client.end();
  await once(front, 'end');
});

test.serial('what listens for the rest does not end it', async (t) => {
  await between(async (opened) => {
    const { front, back } = opened;
    front.pipe(back);
    await opened.warm('client', 1);
    for (const event of ['end', 'close', 'error', 'timeout', 'finish']) front.on(event, listener);
    front.setTimeout(10_000).setNoDelay(true).setKeepAlive(true).ref().resume();
    t.is(front.read(), null);
    t.is(relays(), 1);
  });
});

test.serial('FERRONET_RELAY=off switches it off', async (t) => {
  const script = `
    const net = require('ferronet');
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', async () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      for (let n = 0; n < 6; n++) {
        client.write('x');
        await new Promise((resolve) => client.once('data', resolve));
      }
      console.log(client._handle.constructor.relays());
      client.end();
      server.close();
    });`;
  for (const [value, expected] of [
    ['off', '0'],
    ['on', '1'],
  ] as const) {
    const { code, stdout } = await runScript(`process.env.FERRONET_RELAY = '${value}';${script}`);
    t.is(code, 0);
    t.is(stdout.trim(), expected);
  }
});
