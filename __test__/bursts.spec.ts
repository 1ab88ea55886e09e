// Many clients that connect at once. With `maxConnections` the server has them one in a turn of the loop, as libuv gives them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { isNode, triedNames } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';
import { settings } from './_helpers/settings.js';

const CLIENTS = 20;

/** `listener` has each connection, and `log` what it wants to be printed. All clients are in the backlog by then. */
const burst = (name: string, at: string, listener: string, settings = ''): string => `
  const { createServer } = require('${name}'), { connect } = require('node:net');
  const log = [], ends = {};
  let closed = 0;
  const server = createServer((socket) => { ${listener} });
  server.on('drop', () => log.push('drop'));
  ${settings}
  server.listen(${at}, () => {
    const address = server.address();
    for (let n = 0; n < ${CLIENTS}; n++) {
      let end = 'nothing';
      connect(typeof address === 'string' ? { path: address } : { port: address.port, host: '127.0.0.1' })
        .on('end', () => { end = 'end'; })
        .on('error', ({ code }) => { end = code; })
        .on('close', () => {
          ends[end] = (ends[end] ?? 0) + 1;
          if (++closed < ${CLIENTS}) return;
          console.log(JSON.stringify({ log: log.join(''), ends }));
          server.close();
        })
        .resume();
    }
    // The reactor's thread would accept them all now.
    for (const until = Date.now() + 60; Date.now() < until;);
  });`;

/** A client that connects again whenever it has closed. */
const again = (name: string): string => `
  const { createServer, connect } = require('${name}');
  const log = [], ends = {};
  const server = createServer((socket) => { log.push('C'); socket.resume().end(); });
  server.maxConnections = 1;
  server.on('drop', () => log.push('drop'));
  const client = (n) => {
    if (n < ${CLIENTS}) connect(server.address().port, '127.0.0.1').on('close', () => client(n + 1)).resume();
    else server.close(() => console.log(JSON.stringify({ log: log.join(''), ends })));
  };
  server.listen(0, '127.0.0.1', () => client(0));`;

async function play(source: string, env: Record<string, string>): Promise<{ log: string; ends: object }> {
  const { stdout, stderr } = await runScript(source, { env });
  return JSON.parse(stdout || JSON.stringify(stderr)) as { log: string; ends: object };
}

for (const name of triedNames) {
  for (const [driver, env] of Object.entries(name === 'node:net' ? { libuv: {} } : settings)) {
    // Bun and Deno have no such turns.
    const withTurns = isNode ? test : test.skip;
    const withImmediate = `log.push('C'); setImmediate(() => log.push('i')); socket.end();`;
    withTurns(`with maxConnections each connection has a turn of its own: ${name}, ${driver}`, async (t) => {
      const source = burst(name, `0, '127.0.0.1'`, withImmediate, `server.maxConnections = ${CLIENTS};`);
      const { log } = await play(source, env);
      t.is(log, 'Ci'.repeat(CLIENTS));
    });

    withTurns(
      `a limit that is set in the first connection's callback counts from then on: ${name}, ${driver}`,
      async (t) => {
        const listener = `server.maxConnections = ${CLIENTS}; ${withImmediate}`;
        const { log } = await play(burst(name, `0, '127.0.0.1'`, listener), env);
        t.is(log, 'Ci'.repeat(CLIENTS));
      },
    );

    withTurns(
      `without a limit a turn may have several, in one order with what they schedule: ${name}, ${driver}`,
      async (t) => {
        const { log } = await play(burst(name, `0, '127.0.0.1'`, withImmediate), env);
        const turns = log.match(/C+i+/g) ?? [];
        t.is(turns.join(''), log);
        for (const turn of turns) t.is(turn.lastIndexOf('C') + 1, turn.length / 2, log);
        t.is(log.length, 2 * CLIENTS);
        if (name === 'node:net') t.is(turns.length, CLIENTS);
      },
    );

    // With several threads an end and a connection are of different ones, and in no order.
    const inOrder = driver === 'four threads' ? test.skip : withTurns;
    inOrder(`one that is ended at once makes room for the next below maxConnections: ${name}, ${driver}`, async (t) => {
      const source = burst(name, `0, '127.0.0.1'`, `log.push('C'); socket.end();`, `server.maxConnections = 5;`);
      const { log } = await play(source, env);
      t.is(log, 'C'.repeat(CLIENTS));
    });

    // A thread may see the end after the loop has seen the next connection.
    const byLoop = driver === 'four threads' || driver === 'the thread' ? test.skip : withTurns;
    byLoop(`a client that connects again and again is one connection: ${name}, ${driver}`, async (t) => {
      let { log } = await play(again(name), env);
      // The thread takes over from a loop that gets no processor for a while.
      for (let tries = 1; tries < 3 && driver === 'the load decides' && log.includes('drop'); tries++) {
        ({ log } = await play(again(name), env));
      }
      t.is(log, 'C'.repeat(CLIENTS));
    });

    for (const where of ['TCP', 'a path'] as const) {
      // Elsewhere a path is a pipe, or the system's way with a backlog is another one.
      const onLinux = process.platform === 'linux' && isNode ? test : test.skip;
      onLinux(`a server that closes resets the others, on ${where}: ${name}, ${driver}`, async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
        t.teardown(() => rmSync(folder, { recursive: true }));
        const at = where === 'TCP' ? `0, '127.0.0.1'` : JSON.stringify(join(folder, 'socket'));
        const { ends } = await play(burst(name, at, `server.close(); socket.end();`), env);
        t.deepEqual({ ...ends }, { end: 1, ECONNRESET: CLIENTS - 1 });
      });
    }
  }
}
