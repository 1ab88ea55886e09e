// Pipes between sockets, which the reactor may relay without JavaScript: no observable behaviour may differ. Each scenario
// waits until ferronet's pipe is a relay.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';

import test from 'ava';

import { Between, type BetweenOptions, pause, relays, untilRelays } from '../_helpers/between.js';
import { numbered } from '../_helpers/both.js';
import { type Net, node, ours } from '../_helpers/implementations.js';
import { atMost } from '../_helpers/patience.js';
import type { Lanes } from '../_helpers/recorder.js';
import { onNode } from '../_helpers/reference.js';

const LIMIT = atMost(10_000);

type Scenario = (between: Between) => Promise<void>;

async function play(net: Net, scenario: Scenario, options: BetweenOptions): Promise<Lanes> {
  const between = await Between.open(net, {}, options);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const state = (): string =>
      JSON.stringify([between.lanes, between.text('client'), between.text('server')], null, 1);
    timer = setTimeout(() => reject(new Error(`The scenario came to no end: ${state().slice(0, 3000)}`)), LIMIT);
  });
  try {
    await Promise.race([scenario(between), limit]);
    const lanes = structuredClone(between.lanes);
    lanes['arrived'] = [between.text('client'), between.text('server')].map((text) =>
      text.length < 1000 ? text : createHash('sha256').update(text, 'utf8').digest('hex'),
    );
    return lanes;
  } finally {
    clearTimeout(timer);
    between.close();
  }
}

// One after the other, since relays are counted by the reactor.
function relay(title: string, scenario: Scenario, options: BetweenOptions = {}): void {
  test.serial(title, async (t) => {
    const theirs = await onNode(title, () => play(node, scenario, options));
    t.true(Object.keys(theirs).length > 1);
    t.deepEqual(await play(ours, scenario, options), theirs);
    await untilRelays(ours, 0);
  });
}

const halfOpen = { allowHalfOpen: true };

relay('the client ends', async (between) => {
  await between.proxy();
  between.client.end('last');
  await Promise.all([between.closed(between.front, between.back), once(between.server, 'end')]);
});

relay(
  'the client ends, and the server answers',
  async (between) => {
    await between.proxy();
    between.client.end('question');
    await once(between.server, 'end');
    between.note('front', between.state(between.front));
    await between.send('server', 'answer');
    between.server.end('and end');
    await between.closed(between.front, between.back, between.client);
  },
  halfOpen,
);

relay(
  'the server ends, and the client goes on',
  async (between) => {
    await between.proxy();
    between.server.end('answer');
    await once(between.client, 'end');
    await between.send('client', 'thanks');
    between.client.end();
    await between.closed(between.front, between.back);
  },
  halfOpen,
);

relay('a socket that is piped into itself', async (between) => {
  between.front.pipe(between.front);
  await between.warm('client', 1, 'client');
  await between.send('client', 'echo', 'client');
  between.note('front', between.state(between.front));
  between.client.end('last');
  await Promise.all([between.closed(between.front), once(between.client, 'end')]);
});

relay('a socket that is piped into itself is destroyed', async (between) => {
  between.front.pipe(between.front);
  await between.warm('client', 1, 'client');
  between.front.destroy();
  between.note('front', between.state(between.front));
  await between.closed(between.front);
});

relay('the destination is destroyed', async (between) => {
  await between.proxy();
  between.back.destroy();
  between.note('back', between.state(between.back));
  await between.closed(between.back);
  between.note('front', between.state(between.front));
  // With a reader or without one: as without a relay.
  between.client.write('unread');
  await pause(50);
  between.note('front', between.state(between.front));
});

relay('the destination is destroyed with an error', async (between) => {
  await between.proxy();
  between.back.destroy(new Error('on purpose'));
  await between.closed(between.back);
  between.listeners('front', between.front);
});

relay('the source is destroyed', async (between) => {
  await between.proxy();
  between.front.destroy();
  await between.closed(between.front);
  between.note('back', between.state(between.back));
  between.listeners('back', between.back);
});

relay('the client is reset', async (between) => {
  await between.proxy();
  between.client.resetAndDestroy();
  await between.closed(between.front);
  between.note('back', between.state(between.back));
});

relay('the server is reset', async (between) => {
  await between.proxy();
  between.server.resetAndDestroy();
  await between.closed(between.back);
  between.note('front', between.state(between.front));
  between.listeners('front', between.front);
});

relay('a write that fails is an error of the destination', async (between) => {
  between.front.pipe(between.back);
  // It does not read, so a write finds the reset.
  between.back.pause();
  await between.warm('client', 1);
  between.server.resetAndDestroy();
  await pause(50);
  between.client.write('one');
  await between.closed(between.back);
  between.listeners('front', between.front);
});

relay('unpipe, then a listener of data', async (between) => {
  await between.proxy();
  between.front.unpipe(between.back);
  between.note('front', between.state(between.front));
  between.listeners('front', between.front);
  between.client.write('after');
  const chunks: string[] = [];
  between.front.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  between.front.resume();
  await once(between.front, 'data');
  between.note('front', chunks.join('|'));
  between.client.end();
  await between.closed(between.front);
});

relay('pause and resume', async (between) => {
  await between.proxy();
  between.front.pause();
  between.note('front', `${between.state(between.front)} ${between.front.isPaused()}`);
  between.client.write('held');
  await pause(50);
  between.note('server', between.text('server'));
  between.front.resume();
  await once(between.server, 'data');
  between.note('server', between.text('server'));
  await between.warm('client', 2);
  between.client.end();
  await between.closed(between.front, between.back);
});

relay('a listener of data is added and removed', async (between) => {
  await between.proxy();
  const seen: string[] = [];
  const listener = (chunk: Buffer): void => void seen.push(chunk.toString());
  between.front.on('data', listener);
  await between.send('client', 'seen');
  await between.send('client', 'seen too');
  between.front.removeListener('data', listener);
  await between.send('client', 'unseen');
  between.note('front', seen.join('|'));
  // A pipe that could not become a relay is tried less often.
  await between.warm('client', 2, 'server', 16);
  between.client.end();
  await between.closed(between.front, between.back);
});

relay('once(data), and a listener that is put before', async (between) => {
  await between.proxy();
  const seen: string[] = [];
  between.front.once('data', (chunk: Buffer) => seen.push(`once ${chunk.toString()}`));
  await between.send('client', 'first');
  between.front.prependOnceListener('data', (chunk: Buffer) => seen.push(`before ${chunk.toString()}`));
  await between.send('client', 'second');
  between.note('front', seen.join('|'));
});

relay('a listener of readable is added', async (between) => {
  await between.proxy();
  const readable = once(between.front, 'readable');
  between.note('front', between.state(between.front));
  between.client.write('to be read');
  await readable;
  between.note('front', String(between.front.read()));
  between.listeners('front', between.front);
});

relay('all listeners of data are removed', async (between) => {
  await between.proxy();
  between.front.removeAllListeners('data');
  between.client.write('unread');
  await pause(50);
  between.listeners('front', between.front);
  between.note('front', `${between.front.bytesRead} ${between.back.bytesWritten}`);
});

relay('setEncoding', async (between) => {
  await between.proxy();
  between.front.setEncoding('hex');
  await between.send('client', 'abc', 'server').catch(() => {});
  while (between.text('server').length < 10) await once(between.server, 'data');
  between.note('front', `${between.front.readableEncoding} ${between.front.bytesRead} ${between.back.bytesWritten}`);
});

relay('a second destination', async (between) => {
  await between.proxy();
  const other = new PassThrough();
  between.front.pipe(other);
  await between.send('client', 'both');
  await pause(20);
  between.note('other', String(other.read()));
  between.front.unpipe(other);
  await between.send('client', 'one');
  between.client.end();
  await between.closed(between.front, between.back);
});

relay('writes by hand', async (between) => {
  await between.proxy();
  between.back.write('hand', () => between.note('back', 'written'));
  between.note('back', between.state(between.back));
  while (!between.text('server').endsWith('hand')) await once(between.server, 'data');
  await between.send('client', 'pipe');
  between.back.cork();
  between.back.write('cor');
  between.client.write('PIPE');
  await pause(50);
  between.note('server', between.text('server'));
  between.back.write('ked');
  between.back.uncork();
  while (!between.text('server').endsWith('ked')) await once(between.server, 'data');
  await between.warm('client', 2);
  between.client.end();
  await between.closed(between.front, between.back);
});

relay('end by hand', async (between) => {
  await between.proxy();
  between.back.end('bye', () => between.note('back', 'ended'));
  between.note('back', between.state(between.back));
  await once(between.server, 'end');
  between.listeners('front', between.front);
  between.note('front', between.state(between.front));
});

relay('a push by hand', async (between) => {
  await between.proxy();
  between.front.push(Buffer.from('pushed'));
  while (!between.text('server').endsWith('pushed')) await once(between.server, 'data');
  await between.send('client', 'sent');
});

relay('bytes that were moved are counted at any time', async (between) => {
  await between.proxy();
  for (let n = 0; n < 3; n++) {
    await between.send('client', 'x'.repeat(1000));
    between.note('front', between.state(between.front));
    between.note('back', between.state(between.back));
  }
  between.client.end('y');
  await between.closed(between.front, between.back);
  between.note('front', between.state(between.front));
  between.note('back', between.state(between.back));
});

relay(
  'megabytes, and a server that reads slowly',
  async (between) => {
    await between.proxy();
    const bytes = numbered(24 << 20);
    const hash = createHash('sha256');
    const { server } = between;
    between.got.server.length = 0;
    server.pause();
    server.removeAllListeners('data');
    between.client.end(bytes);
    await pause(100);
    let length = 0;
    for await (const chunk of server as AsyncIterable<Buffer>) {
      hash.update(chunk);
      length += chunk.length;
      if (length % 7 === 0) await pause(1);
    }
    between.note('server', `${length} ${hash.digest('hex')}`);
    server.end();
    await between.closed(between.front, between.back);
    delete between.lanes['front'];
    delete between.lanes['back'];
    between.note('front', `${between.front.bytesRead} ${between.front.bytesWritten}`);
    between.note('back', `${between.back.bytesRead} ${between.back.bytesWritten}`);
  },
  halfOpen,
);

relay(
  'a relay that is given up again and again loses nothing',
  async (between) => {
    await between.proxy();
    const bytes = numbered(16 << 20);
    between.got.server.length = 0;
    const { front, back } = between;
    const seen = createHash('sha256');
    between.client.end(bytes);
    const listener = (): void => {};
    const timer = setInterval(() => {
      front.on('data', listener);
      back.cork();
      setImmediate(() => {
        front.removeListener('data', listener);
        back.uncork();
      });
    }, 3);
    await once(between.server, 'end');
    clearInterval(timer);
    for (const chunk of between.got.server) seen.update(chunk);
    between.got.server.length = 0;
    between.note('server', seen.digest('hex'));
    between.server.end();
    await between.closed(front, back);
    delete between.lanes['front'];
    delete between.lanes['back'];
    between.note('front', `${front.bytesRead} ${back.bytesWritten}`);
  },
  halfOpen,
);

relay('no timeout while bytes move, and one when none do', async (between) => {
  await between.proxy();
  const { front, back } = between;
  const idle = atMost(300);
  for (const socket of [front, back]) socket.setTimeout(idle);
  let lastSent = 0;
  for (let n = 0; n < 12; n++) {
    lastSent = performance.now();
    await between.send('client', 'tick');
    await pause(60);
  }
  between.note('front', 'idle from now on');
  between.note('back', 'idle from now on');
  await Promise.all([once(front, 'timeout'), once(back, 'timeout')]);
  const took = performance.now() - lastSent;
  // A timer of Node's may be a millisecond early.
  between.note('time', took > idle - 5 && took < 3 * idle ? 'in time' : `after ${took} ms`);
  if (between.net === ours && relays() !== 2) between.note('time', 'no relays');
});
