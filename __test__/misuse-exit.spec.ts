// A wrong call leaves nothing half-made behind: when all else is closed, the process ends by itself.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

import test from 'ava';

import { runScript } from './_helpers/script.js';

const TABLES = readdirSync(join(__dirname, '_misuse'))
  .filter((file) => file.endsWith('.js'))
  .map((file) => basename(file, '.js'));

// How long a process may stay after all of its wrong calls were made.
const LIMIT = 10_000;

// Makes the calls of a table whose titles are given, or all. What a call throws or emits is not the matter here; what it
// gives back without an error is in use, and put away.
const script = (table: string, titles?: string[]): string => `
  const { rows } = require(${JSON.stringify(join(__dirname, '_misuse', table))});
  const { callOf } = require(${JSON.stringify(join(__dirname, '_helpers', 'misuse-rows.js'))});
  const net = require('ferronet');
  const titles = ${JSON.stringify(titles) ?? 'Object.keys(rows)'};
  for (const title of titles) {
    let result;
    try {
      result = callOf(rows[title])(net);
    } catch {
      continue;
    }
    if (result === null || typeof result !== 'object') continue;
    let failed = false;
    result.on?.('error', () => { failed = true; });
    setImmediate(() => {
      if (failed) return;
      result.destroy?.();
      result.close?.();
    });
  }
  console.log(titles.length);`;

for (const table of TABLES) {
  test(`the process ends after the wrong calls of ${table}`, async (t) => {
    const { rows } = (await import(`./_misuse/${table}.js`)) as { rows: object };
    const titles = Object.keys(rows);
    const all = await runScript(script(table), { limit: LIMIT });
    if (all.code === 0) {
      t.is(all.stdout.trim(), String(titles.length), all.stderr);
      return;
    }
    // Which of them was it?
    const guilty: string[] = [];
    for (const title of titles) {
      const alone = await runScript(script(table, [title]), { limit: 3000 });
      if (alone.code !== 0) guilty.push(`${title}: ${alone.code === null ? 'does not end' : alone.stderr}`);
    }
    t.fail(`${all.code === null ? 'does not end' : all.stderr}\n${guilty.join('\n') || 'only all together'}`);
  });
}

test('the process ends after a wrong call on a connection and on a listening server, which go on working', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const net = require('ferronet');
     const wrong = (target, name, ...args) => {
       try { target[name](...args); console.log(name, 'returned'); } catch (error) { console.log(name, error.code); }
     };
     const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
       wrong(server, 'listen', 0);
       wrong(server, 'getConnections', 1);
       const client = net.connect(server.address().port, '127.0.0.1', () => {
         wrong(client, 'connect', { port: -1 });
         wrong(client, 'connect', { path: 1 });
         wrong(client, 'write', 1);
         wrong(client, 'write', null);
         wrong(client, 'setTimeout', 'x');
         wrong(client, 'setTimeout', 1, 'x');
         wrong(client, 'setTypeOfService', 256);
         client.setTimeout(0);
         client.end('still here');
       });
       client.setEncoding('utf8').on('data', console.log).on('close', (bad) => { console.log('closed', bad); server.close(); });
     });`,
    { limit: LIMIT },
  );
  t.deepEqual(
    stdout.trim().split('\n'),
    [
      'listen ERR_SERVER_ALREADY_LISTEN',
      'getConnections ERR_INVALID_ARG_TYPE',
      'connect ERR_SOCKET_BAD_PORT',
      'connect ERR_INVALID_ARG_TYPE',
      'write ERR_INVALID_ARG_TYPE',
      'write ERR_STREAM_NULL_VALUES',
      'setTimeout ERR_INVALID_ARG_TYPE',
      'setTimeout ERR_INVALID_ARG_TYPE',
      'setTypeOfService ERR_OUT_OF_RANGE',
      'still here',
      'closed false',
    ],
    stderr,
  );
  t.is(code, 0);
});
