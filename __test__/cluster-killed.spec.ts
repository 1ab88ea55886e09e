// Workers that are killed at random under load: no client waits for ever, nothing stays open, and the other workers continue.
// SIEGE_SECONDS makes it longer than the 3 s it lasts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import type { Policy } from './_helpers/cluster.js';
import type { Siege } from './_helpers/cluster-siege.js';

const SECONDS = Number(process.env['SIEGE_SECONDS'] ?? 3);

// Counts descriptors where Linux lists them.
const declare = process.platform === 'linux' ? test : test.skip;

async function besiege(policy: Policy, ...loaded: string[]): Promise<Siege> {
  const program = join(__dirname, '_helpers', 'cluster-siege.js');
  const child = spawn(process.execPath, [program, 'ferronet', policy, String(SECONDS), ...loaded], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: SECONDS * 1000 + 50_000,
    killSignal: 'SIGKILL',
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(output) as Siege;
}

declare('none: workers are killed', async (t) => {
  t.timeout(SECONDS * 1000 + 60_000);
  const siege = await besiege('none');
  t.log(JSON.stringify(siege));
  t.true(siege.killed > 0 && siege.served > 0 && siege.servesOn);
  t.is(siege.hung, 0);
  t.true(siege.after <= siege.before);
});

declare('rr: workers are killed, and the primary has this package', async (t) => {
  t.timeout(SECONDS * 1000 + 60_000);
  const siege = await besiege('rr', 'ferronet');
  t.log(JSON.stringify(siege));
  t.true(siege.killed > 0 && siege.served > 0 && siege.servesOn);
  t.is(siege.hung, 0);
  t.true(siege.after <= siege.before);
});

declare('rr: workers are killed, and the primary is plain Node', async (t) => {
  t.timeout(SECONDS * 1000 + 60_000);
  const siege = await besiege('rr');
  t.log(JSON.stringify(siege));
  t.true(siege.killed > 0 && siege.served > 0 && siege.servesOn);
  // Node's primary keeps the one connection that was on its way to a worker when that died, whatever the workers use.
  t.true(siege.hung <= siege.killed);
  t.true(siege.after <= siege.before + siege.killed);
});
