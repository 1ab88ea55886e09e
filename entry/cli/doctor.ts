// `ferronet doctor`: what is installed here, and whether it works. Its text is for a person, and for a report of an error.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import type * as Net from '../../index.js';
import type * as Diagnostics from '../diagnostics.js';
import { type Command, Exit } from './command.js';
import { readManifest, root } from './manifest.js';

interface Found {
  [name: string]: string | number | boolean | undefined;
}

interface Examined {
  found: Found;
  /** What is to be done about what is wrong. */
  hints: string[];
}

/** What C library Node was linked with. It decides which native part is needed on Linux. */
function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const { report } = process as { report?: { getReport: () => object; excludeNetwork?: boolean } };
  if (report === undefined) return undefined;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

/** Which program runs this: Bun and Deno have a version of Node as well, that they want to be taken for. */
function runtime(): string {
  const { bun, deno, electron, node, napi } = process.versions as Record<string, string | undefined>;
  const beside = [bun && `Bun ${bun}`, deno && `Deno ${deno}`, electron && `Electron ${electron}`].filter(Boolean);
  return [...beside, `Node ${node}`, `Node-API ${napi}`].join(', ');
}

/** The file of the native part that was loaded. */
function loadedAddon(): string | undefined {
  return Object.keys(require.cache).find((file) => /ferronet[^\\/]*\.node$/.test(file));
}

/** The version of the package that has this file, if it is another one. */
function otherVersion(file: string, version: string): string | undefined {
  const manifest = join(file, '..', 'package.json');
  if (!existsSync(manifest)) return undefined;
  const { version: other } = require(manifest) as { version: string };
  return other === version ? undefined : other;
}

/** Whether programs get ferronet for `net`, as this process was started. */
function isRegistered(net: typeof Net): boolean {
  // Modules of this package are excepted, so one outside of it has to ask.
  const outside = createRequire(join(process.cwd(), 'a-program.js'));
  return outside('net') === net;
}

function echoed(net: typeof Net): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.pipe(socket));
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
      client.setTimeout(5000, () => client.destroy(new Error('no answer in 5 s')));
      client.on('error', reject).on('close', () => server.close());
      client.once('data', () => {
        client.end();
        resolve('a byte went over the loopback and back');
      });
      client.write('x');
    });
  });
}

function settings(): string {
  const names = Object.keys(process.env).filter((name) => name.startsWith('FERRONET_'));
  return names.map((name) => `${name}=${process.env[name]}`).join(' ') || 'none';
}

async function ofLoaded(version: string): Promise<Examined> {
  const net = require('../../index.js') as typeof Net;
  const { stats } = require('../diagnostics.js') as typeof Diagnostics;
  const file = loadedAddon();
  const other = file === undefined ? undefined : otherVersion(file, version);
  const hints =
    other === undefined ? [] : [`The native part is of version ${other}, and the package of ${version}: npm install.`];
  let test: string;
  try {
    test = await echoed(net);
  } catch (error) {
    test = `failed: ${(error as Error).message}`;
    hints.push('The native part loads, and a connection over 127.0.0.1 does not work: see `test`.');
  }
  const { driver, driving, threads, readAhead } = stats();
  return {
    found: {
      addon: file ?? 'loaded, from a file that is not known',
      driver: `${driver}, and now ${driving === 'loop' ? 'the event loop drives' : 'a thread drives'}`,
      threads,
      'read ahead': `at most ${readAhead.limit} bytes`,
      relays: process.env['FERRONET_RELAY'] === 'off' ? 'off' : 'on',
      register: isRegistered(net) ? 'active: net is ferronet' : 'not active here: net is that of Node',
      test,
    },
    hints,
  };
}

async function examine(): Promise<Examined> {
  const { version } = readManifest();
  const found: Found = {
    ferronet: version,
    package: root,
    runtime: runtime(),
    platform: [process.platform, process.arch, libc()].filter(Boolean).join(' '),
    settings: settings(),
    options: process.env['NODE_OPTIONS'] || 'none',
  };
  try {
    const loaded = await ofLoaded(version);
    return { found: { ...found, ...loaded.found }, hints: loaded.hints };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const addon = `not loaded${code === undefined ? '' : `, ${code}`}`;
    return { found: { ...found, addon }, hints: [message] };
  }
}

export const doctor: Command = {
  name: 'doctor',
  synopsis: '',
  summary: 'Says what is installed here, and whether it works.',
  details: `Options:
  --json      prints an object, with a list of hints
  -h, --help  shows this

The status is 0 if the native part loads and a connection works, and else 1.`,
  options: { json: { type: 'boolean' } },
  takes: [0, 0],
  async run(_args, { json }): Promise<Exit> {
    const { found, hints } = await examine();
    if (json === true) {
      process.stdout.write(`${JSON.stringify({ ...found, hints }, null, 2)}\n`);
    } else {
      const width = Math.max(...Object.keys(found).map(({ length }) => length)) + 2;
      for (const name of Object.keys(found)) process.stdout.write(`${name.padEnd(width)}${found[name]}\n`);
      for (const hint of hints) process.stdout.write(`\n${hint}\n`);
      if (hints.length === 0) process.stdout.write('\nAll is well.\n');
    }
    return hints.length === 0 ? Exit.Done : Exit.Failed;
  },
};
