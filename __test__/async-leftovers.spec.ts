// What async_hooks see of a program from its first line on: when its connections have ended nothing is left of them, what is
// still open is named as Node names it, and the stack of a resource shows the line of the program that made it.
import test from 'ava';

import { isNode, triedNames } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

// Hooked before the module under test is loaded, as tools are.
const prelude = (name: string): string => `
  const { createHook } = require('node:async_hooks');
  const { once } = require('node:events');
  const alive = new Map(), stacks = [];
  createHook({
    init(id, type) {
      if (/^(PROMISE|TickObject|Immediate|Timeout|Timers|PIPEWRAP|TTYWRAP|FSREQCALLBACK|DNSCHANNEL|GETADDRINFOREQWRAP)/.test(type)) return;
      alive.set(id, type);
      stacks.push([type, new Error().stack]);
    },
    destroy(id) { alive.delete(id); },
  }).enable();
  const net = require('${name}');
  const turn = () => new Promise(setImmediate);
  const left = async () => { await turn(); await turn(); return [...alive.values()]; };
  const open = async () => {
    const server = net.createServer((accepted) => accepted.end('x'));
    server.listen(0);
    await once(server, 'listening');
    return server;
  };`;

async function printed(name: string, body: string): Promise<unknown> {
  const { code, stdout, stderr } = await runScript(`${prelude(name)}\n(async () => {${body}\n})();`);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const declare = isNode ? test : test.skip;

for (const name of triedNames) {
  declare(`${name}: nothing is left of 10 connections and a closed server, and an open one is named`, async (t) => {
    const lists = await printed(
      name,
      `const loaded = await left();
       const server = await open();
       for (let i = 0; i < 10; i += 1) {
         await once(net.connect(server.address().port, '127.0.0.1').resume(), 'close');
       }
       server.close();
       await once(server, 'close');
       const ended = await left();
       const other = await open();
       const running = await left();
       console.log(JSON.stringify([loaded, ended, running]));
       other.close();`,
    );
    t.deepEqual(lists, [[], [], ['TCPSERVERWRAP']]);
  });

  declare(`${name}: the stack of a handle reaches the program`, async (t) => {
    const made = await printed(
      name,
      `const server = net.createServer();
       function listens() { server.listen(0); }
       listens();
       await once(server, 'listening');
       let client;
       function connects() { client = net.connect(server.address().port, '127.0.0.1'); }
       connects();
       await once(client, 'connect');
       client.destroy();
       server.close();
       const reaches = (type, by) => stacks.some(([each, stack]) => each === type && stack.includes(' ' + by + ' '));
       console.log(JSON.stringify([
         reaches('TCPSERVERWRAP', 'listens'), reaches('TCPWRAP', 'connects'), Error.stackTraceLimit]));`,
    );
    t.deepEqual(made, [true, true, 10]);
  });

  declare(`${name}: a program that has frozen Error listens and connects`, async (t) => {
    const events = await printed(
      name,
      `Object.freeze(Error);
       const server = await open();
       const client = net.connect(server.address().port, '127.0.0.1');
       const [data] = await once(client, 'data');
       server.close();
       console.log(JSON.stringify(String(data)));`,
    );
    t.is(events, 'x');
  });
}

declare('the resource of the callbacks holds no loop, and goes with the last handle', async (t) => {
  const lists = await printed(
    'ferronet',
    `const callbacks = [];
     createHook({ init(id, type, trigger, resource) { if (type === 'FERRONET') callbacks.push(resource.hasRef()); } }).enable();
     const server = await open();
     const client = net.connect(server.address().port, '127.0.0.1').resume();
     await once(client, 'data');
     const during = [...alive.values()];
     server.close();
     await Promise.all([once(client, 'close'), once(server, 'close')]);
     console.log(JSON.stringify([callbacks, during.includes('FERRONET'), await left()]));`,
  );
  t.deepEqual(lists, [[false], true, []]);
});
