// readline and a REPL on a socket.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import readline from 'node:readline';
import repl from 'node:repl';

import { both } from '../_helpers/both.js';

/** Waits until the socket has said all of these, one after the other. */
async function until(socket: Socket, ...texts: string[]): Promise<void> {
  let said = '';
  for (const wanted of texts) {
    while (!said.includes(wanted)) said += String((await once(socket, 'data'))[0]);
    said = said.slice(said.indexOf(wanted) + wanted.length);
  }
}

both('lines, however they are cut', async (t, place) => {
  const [client, accepted] = await place.pair();
  const lines: string[] = [];
  for (const piece of ['one\ntw', 'o\r\nthr', 'ee\n', 'rest']) client.write(piece);
  client.end();
  for await (const line of readline.createInterface({ input: accepted })) lines.push(line);
  t.deepEqual(lines, ['one', 'two', 'three', 'rest']);
});

both('a question and its answer', async (t, place) => {
  const [client, accepted] = await place.pair();
  const asking = readline.createInterface({ input: accepted, output: accepted });
  const answer = new Promise((resolve) => asking.question('your name? ', resolve));
  t.is(String((await once(client, 'data'))[0]), 'your name? ');
  client.write('nobody\n');
  t.is(await answer, 'nobody');
  asking.close();
});

both('a REPL', async (t, place) => {
  const [client, accepted] = await place.pair();
  const session = repl.start({ input: accepted, output: accepted, prompt: '> ', terminal: false });
  session.on('exit', () => accepted.end());
  await until(client, '> ');
  client.write('const x = 20\n');
  await until(client, 'undefined\n', '> ');
  client.write('x * 2 + 2\n');
  await until(client, '42\n', '> ');
  const ended = once(client, 'end');
  client.write('.exit\n');
  await ended;
  t.pass();
});

both('a REPL with editing, as for a terminal', async (t, place) => {
  const [client, accepted] = await place.pair();
  const session = repl.start({ input: accepted, output: accepted, prompt: '> ', terminal: true, useColors: false });
  session.on('exit', () => accepted.end());
  await until(client, '> ');
  client.write("'a' + 'b'\r");
  await until(client, "'ab'");
  const ended = once(client, 'end');
  // Control-D
  client.write('\u0004');
  await ended;
  t.pass();
});
