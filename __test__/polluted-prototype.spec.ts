// Whatever `Object.prototype` has grown before the package was loaded or after, sockets go on as before: as node:net, which
// does not lean on it.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { isNode, triedNames } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';
import { type Moment, NOT_IN_NODE, POLLUTIONS } from './_helpers/pollution.js';
import { runScript } from './_helpers/script.js';

const program = join(__dirname, '_helpers', 'pollution.js');
const run = promisify(execFile);

async function happened(module: string, name: string, value: string, moment: Moment): Promise<string[]> {
  const { stdout } = await run(process.execPath, ['--no-warnings', program, module, name, value, moment], {
    cwd: join(__dirname, '..'),
    timeout: atMost(20_000),
  });
  return JSON.parse(stdout) as string[];
}

const declare = isNode ? test.serial : test.skip;

/** What asks `Object.prototype`: descriptors, and iterators that are left before their end or made of what has none. */
const LEANING: Readonly<Record<string, RegExp>> = {
  'a descriptor that inherits (lib/node/define.ts has the way)':
    /\b(?:Object|Reflect)\.defineProper|Object\.create\([^()]*, /,
  'an array taken apart by an iterator ({ 0: first } has none)':
    /(?:const|let|var) \[|\(\[[^\]]*\](?:: [^)]*)?\) =>|^\s*\[.*\] = /,
  'a list made of what is no list': /Array\.from\(\{/,
  'options that are not given and inherit (lib/node/empty.ts has nothing)': /: [\w |]+ = \{\}[,)]/,
};

test('no source leans on Object.prototype', (t) => {
  const root = join(__dirname, '..');
  const sources = ['lib', 'entry'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== join('node', 'define.ts'))
      .map((name) => join(folder, name)),
  );
  const found = sources.flatMap((source) =>
    readFileSync(join(root, source), 'utf8')
      .split('\n')
      .flatMap((line, at) => {
        const what = Object.keys(LEANING).find(
          (each) => LEANING[each]?.test(line) && !line.trimStart().startsWith('//'),
        );
        return what === undefined ? [] : [`${source}:${at + 1}: ${what}`];
      }),
  );
  t.deepEqual(found, []);
});

declare('options that are not given are not taken from Object.prototype', async (t) => {
  const { code, stdout, stderr } = await runScript(`
    Object.assign(Object.prototype, { host: 'none', all: 1, unsetEnvironment: true });
    process.env.LISTEN_FDS = '0';
    const { BoundSocket } = require('ferronet');
    const bound = new BoundSocket();
    require('ferronet/systemd').listenFds();
    console.log(bound.address().address, require('ferronet/diagnostics').stats().reactors, process.env.LISTEN_FDS);
    bound.close();`);
  t.is(stdout, '0.0.0.0 1 0\n', stderr);
  t.is(code, 0);
});

for (const module of triedNames) {
  // It changes the text of one error, in Node as well.
  declare(`${module}: Object.prototype has a path that is undefined`, async (t) => {
    const events = await happened(module, 'path', 'undefined', 'after');
    for (const event of ['client ready', 'server connection', 'client close', 'server close'])
      t.true(events.includes(event), event);
  });
  const clean = happened(module, '-', '-', 'after');
  clean.catch(() => {});
  for (const [name, value] of POLLUTIONS) {
    for (const moment of ['before', 'after'] as const) {
      if (module === 'node:net' && NOT_IN_NODE.includes(name)) continue;
      declare(`${module}: Object.prototype has ${name} (a ${value}) ${moment} it is loaded`, async (t) => {
        // The order of events between two ends is random.
        t.deepEqual((await happened(module, name, value, moment)).sort(), (await clean).sort());
      });
    }
  }
}
