// Gets the programs of a run: the package and the crate's are built, Bun and Deno are installed from npm where they are asked for.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import type { Binaries, Implementation } from './implementations';

const ROOT = join(__dirname, '..', '..', '..');

/** Where cargo put an executable, whatever the target folder is: the lines of JSON say. */
function executables(messages: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line) as { executable?: string | null; target?: { name: string } };
    if (message.executable && message.target) found.set(message.target.name, message.executable);
  }
  return found;
}

/** Builds ferronet. Returns whether that has worked; what went wrong is shown by the build itself. */
export function buildPackage(): boolean {
  const options = { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' } as const;
  return spawnSync('npm', ['run', 'build'], options).status === 0;
}

function buildCrate(): { load: string; floor: string } {
  const messages = execFileSync(
    process.env['CARGO'] || 'cargo',
    ['build', '--release', '--locked', '-p', 'ferronet-benchmark', '--message-format', 'json-render-diagnostics'],
    { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const built = executables(messages);
  const [load, floor] = [built.get('ferronet-load'), built.get('ferronet-floor')];
  if (!load || !floor) throw new Error('cargo built the load generator, but did not say where it is');
  return { load, floor };
}

interface Runtimes {
  programOf: (runtime: 'bun' | 'deno') => string;
}

/** As for the tests in these runtimes: the same versions, in the same place. */
function install(runtime: 'bun' | 'deno'): string | undefined {
  const { programOf } = require(join(ROOT, 'scripts', 'runtimes', 'runtimes.js')) as Runtimes;
  try {
    return programOf(runtime);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return undefined;
  }
}

/** Builds and installs what the peers need. Peers that are not available are reported and left out. */
export function getBinaries(peers: readonly Implementation[]): { binaries: Binaries; peers: Implementation[] } {
  const binaries: Binaries = { node: process.execPath, ...buildCrate() };
  const there = peers.filter(({ name, runtime }) => {
    if (runtime !== 'bun' && runtime !== 'deno') return true;
    binaries[runtime] ??= install(runtime);
    if (binaries[runtime]) return true;
    process.stderr.write(`${name}: could not be installed from npm, the run goes on without it\n`);
    return false;
  });
  return { binaries, peers: there };
}
