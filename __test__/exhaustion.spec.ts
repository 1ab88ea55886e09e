// A process that may open no more, and a kernel that has no buffers: errors come as they come from node:net, a server
// refuses, does not spin and serves again, and no client is left waiting. Errors that a kernel gives on no demand come from a
// library that is preloaded.
import { constants } from 'node:os';

import test from 'ava';

import { nodeMajor, triedNames } from './_helpers/implementations.js';
import { because, compile, missing } from './_helpers/native.js';
import { runScript, type Running } from './_helpers/script.js';
import { settings } from './_helpers/settings.js';

// One after another: each runs a program, and some measure it.
const testOnUnix = process.platform === 'win32' ? test.skip : test.serial;
const testWithNative = missing ? test.skip : test.serial;

/** Each implementation, ferronet with each setting. */
const rows = triedNames.flatMap((name) =>
  name === 'node:net'
    ? [{ name, title: name, env: {} }]
    : Object.entries(settings).map(([title, env]) => ({ name, title: `${name}, ${title}`, env })),
);

interface Row {
  name: string;
  env: Record<string, string>;
}

async function output(
  t: { is(actual: unknown, expected: unknown, message?: string): unknown },
  row: Row,
  program: string,
  running: Running,
): Promise<unknown> {
  const source = `const net = require('${row.name}');${program}`;
  const { code, stdout, stderr } = await runScript(source, { ...running, env: { ...row.env, ...running.env } });
  t.is(code, 0, stderr);
  return JSON.parse(stdout);
}

// ---- the first use, and later ones

const uses = `
  const fs = require('node:fs');
  const log = {};
  const open = [];
  const note = (lane, text) => (log[lane] ??= []).push(text.replace(/\\d{4,}/g, 'PORT'));
  const recorded = (lane, what) => {
    for (const event of ['connect', 'listening']) what.on(event, () => note(lane, event));
    what.on('error', ({ message, code, syscall, errno }) => note(lane, [message, code, syscall, errno].join()));
    what.on('close', (hadError) => note(lane, 'close ' + hadError));
    return what;
  };
  const all = {
    connect: () => recorded('connect', net.connect(1, '127.0.0.1')),
    path: () => recorded('path', net.connect('nothing.sock')),
    write: () => recorded('write', net.connect(1, '127.0.0.1')).end('lost', () => note('write', 'written')),
    destroyed: () => recorded('destroyed', net.connect('nothing.sock')).destroy(),
    listen: () => recorded('listen', net.createServer()).listen(0, '127.0.0.1'),
    file: () => recorded('file', net.createServer()).listen('exhaustion-' + process.pid),
  };
  const exhausted = () => { try { for (;;) open.push(fs.openSync('/dev/null')); } catch {} };
  const enough = () => { for (const fd of open.splice(0)) fs.closeSync(fd); };
  const use = () => {
    for (const [lane, start] of Object.entries(all)) {
      note(lane, '> ' + lane);
      start();
      setImmediate(note, lane, 'immediate');
    }
  };
  const serve = (served) => {
    const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1', () => {
      let text = '';
      net.connect(server.address().port, '127.0.0.1').on('data', (data) => (text += data)).on('close', () => {
        server.close();
        served(text);
      });
    });
  };
  const begin = () => { exhausted(); use(); setTimeout(() => { enough(); serve((text) => { log.later = text; console.log(JSON.stringify(log)); }); }, 100); };
`;

for (const [title, start] of Object.entries({ 'the first use': 'begin();', 'a later use': 'serve(begin);' })) {
  testOnUnix(`${title} without descriptors ends with EMFILE, and the next one with them works`, async (t) => {
    const expected = await output(t, { name: triedNames[0] ?? '', env: {} }, uses + start, { descriptors: 80 });
    for (const row of rows) t.deepEqual(await output(t, row, uses + start, { descriptors: 80 }), expected, row.title);
  });
}

// ---- a server at its limit

const full = `
  const { spawn } = require('node:child_process');
  const { once } = require('node:events');
  const open = new Set();
  const errors = [];
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => {
      open.delete(socket);
      server.emit('left');
    });
    socket.pipe(socket);
  });
  server.on('error', ({ code }) => errors.push(code)).on('drop', () => errors.push('drop'));
  // Clients have descriptors of their own. Answers what became of so many: served, or refused.
  const clients = \`
    const net = require('node:net');
    const { createInterface } = require('node:readline');
    const served = [];
    const print = (answer) => process.stdout.write(JSON.stringify(answer) + '\\\\n');
    const one = (port) => new Promise((done) => {
      const client = net.connect(port, '127.0.0.1', () => client.write('x'));
      client.on('data', () => { served.push(client); done(true); }).on('error', () => {}).on('close', () => done(false));
    });
    createInterface({ input: process.stdin }).on('line', async (line) => {
      const { port, count, leave } = JSON.parse(line);
      for (const client of served.splice(0, leave)) client.destroy();
      const all = await Promise.all(Array.from({ length: count }, () => one(port)));
      print({ served: all.filter(Boolean).length });
    });
  \`;
  const others = spawn('/bin/sh', ['-c', 'ulimit -n $(ulimit -H -n); exec "$0" --eval "$1"', process.execPath, clients], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ask = async (question) => {
    others.stdin.write(JSON.stringify(question) + '\\n');
    const [line] = await once(others.stdout, 'data');
    return JSON.parse(line).served;
  };
  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address();
    const count = 100;
    const first = await ask({ port, count, leave: 0 });
    const isAll = first === open.size;
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { user, system } = process.cpuUsage(before);
    await ask({ port, count: 0, leave: 10 });
    while (open.size > first - 10) await once(server, 'left');
    const again = await ask({ port, count: 5, leave: 0 });
    console.log(JSON.stringify({ isFull: first > 0 && first < count, isAll, spins: user + system > 100_000, again, errors }));
    process.exit(0);
  });
`;

for (const row of rows) {
  testOnUnix(`a server without descriptors refuses, answers, and serves again [${row.title}]`, async (t) => {
    const outcome = await output(t, row, full, { descriptors: 80 });
    t.deepEqual(outcome, { isFull: true, isAll: true, spins: false, again: 5, errors: [] });
  });
}

testOnUnix('a server without descriptors sends a socket to a child', async (t) => {
  const program = `
    const child = require('node:child_process').fork('--eval', [\`process.on('message', (text, socket) => {
      socket.end('from the child');
      process.disconnect();
    });\`]);
    const log = [];
    const open = [];
    const server = net.createServer((socket) => {
      const fs = require('node:fs');
      try { for (;;) open.push(fs.openSync('/dev/null')); } catch {}
      child.send('it is yours', socket, (error) => {
        log.push(error);
        for (const fd of open) fs.closeSync(fd);
      });
    }).listen(0, '127.0.0.1', () => {
      require('node:net').connect(server.address().port, '127.0.0.1')
        .on('data', (data) => log.push(String(data)))
        .on('close', () => { console.log(JSON.stringify(log)); process.exit(0); });
    });`;
  for (const row of rows) {
    t.deepEqual(await output(t, row, program, { descriptors: 80 }), [null, 'from the child'], row.title);
  }
});

// ---- other errors of accept(2)

const { errno } = constants;
const E = errno as typeof errno & Record<string, number>;
// The numbers that Node does not name are Linux's.
const ofAccept = [
  E.ENOBUFS,
  E.ENOMEM,
  E.EPROTO,
  E.EPERM,
  E.ECONNABORTED,
  E.ENETDOWN,
  E.ENOPROTOOPT,
  E['EHOSTDOWN'] ?? 112,
  E['ENONET'] ?? 64,
  E.EHOSTUNREACH,
  E.EOPNOTSUPP,
  E.ENETUNREACH,
  E.EINTR,
].join(' ');

const served = `
  const COUNT = 40;
  const errors = [];
  const server = net.createServer((socket) => socket.end('hello'));
  server.on('error', ({ code }) => errors.push(code));
  server.listen(0, '127.0.0.1', () => {
    let served = 0, left = COUNT;
    for (let n = 0; n < COUNT; n += 1) {
      require('node:net').connect(server.address().port, '127.0.0.1')
        .on('data', () => { served += 1; })
        .on('error', () => {})
        .on('close', () => {
          if (--left > 0) return;
          console.log(JSON.stringify({ served, errors }));
          process.exit(0);
        });
    }
  });
`;

const failing = missing ? undefined : compile('failing-calls');
test.after.always(() => failing?.remove());

function preloaded(variables: Record<string, string>): Running {
  return { env: { ...variables, LD_PRELOAD: failing?.files[0] ?? '' } };
}

for (const row of rows) {
  // Node 20 and 22 report such errors as the server's.
  const declare = row.name === 'node:net' && nodeMajor < 24 ? test.skip : testWithNative;
  declare(`errors of accept(2) are not reported, and all are served [${row.title}]${because}`, async (t) => {
    const outcome = await output(t, row, served, preloaded({ FERRONET_FAILING_ACCEPT: `every 2 ${ofAccept}` }));
    t.deepEqual(outcome, { served: 40, errors: [] });
  });

  declare(`an accept(2) that fails for a while is tried again [${row.title}]${because}`, async (t) => {
    const outcome = await output(t, row, served, preloaded({ FERRONET_FAILING_ACCEPT: `first 150 ${ofAccept}` }));
    t.deepEqual(outcome, { served: 40, errors: [] });
  });

  if (row.name !== 'node:net') {
    for (const [name, number] of Object.entries({ ENOBUFS: E.ENOBUFS, EMFILE: E.EMFILE })) {
      // node:net asks again and again.
      declare(
        `an accept(2) that always fails with ${name} costs next to nothing [${row.title}]${because}`,
        async (t) => {
          const program = `
          const server = net.createServer().on('error', (error) => { throw error; }).listen(0, '127.0.0.1', () => {
            require('node:net').connect(server.address().port, '127.0.0.1').on('connect', () => {
              const before = process.cpuUsage();
              setTimeout(() => {
                const { user, system } = process.cpuUsage(before);
                console.log(user + system < 100_000);
                process.exit(0);
              }, 300);
            });
          });`;
          t.is(await output(t, row, program, preloaded({ FERRONET_FAILING_ACCEPT: `every 1 ${number}` })), true);
        },
      );
    }
  }

  testWithNative(`a write that finds no buffers goes out later [${row.title}]${because}`, async (t) => {
    const program = `
      const COUNT = 10, SIZE = 300_000;
      const path = require('node:path').join(require('node:os').tmpdir(), 'buffers-' + process.pid);
      const bytes = Buffer.from(Array.from({ length: SIZE }, (_, n) => (n * 7 + (n >> 8)) % 256));
      const results = [];
      let left = 2 * COUNT;
      const meet = (where) => {
        const server = net.createServer((socket) => {
          socket.on('error', (error) => results.push(error.code)).on('data', (data) => socket.write(data));
          socket.on('end', () => socket.end());
        }).listen(where, () => {
          for (let n = 0; n < COUNT; n += 1) {
            const client = net.connect(where.path ? where : { ...where, port: server.address().port });
            const read = [];
            client.on('error', (error) => results.push(error.code)).on('data', (data) => read.push(data));
            client.on('close', () => {
              results.push(Buffer.concat(read).equals(bytes) ? 'whole' : 'not whole');
              if (--left === 0) { console.log(JSON.stringify([...new Set(results)])); process.exit(0); }
            });
            for (let at = 0; at < SIZE; at += 25_000) client.write(bytes.subarray(at, at + 25_000));
            client.end();
          }
        });
      };
      meet({ port: 0, host: '127.0.0.1' });
      meet({ path });`;
    const outcome = await output(t, row, program, preloaded({ FERRONET_FAILING_WRITE: `every 3 ${E.ENOBUFS}` }));
    t.deepEqual(outcome, ['whole']);
  });
}
