// Gets the programs of a run: the crate's are built, Bun and Deno are installed from npm where they are asked for.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { Binaries, Implementation } from './implementations';

const ROOT = join(__dirname, '..', '..', '..');
const INSTALL_MILLISECONDS = 300_000;

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

/** Outside of the checkout: a runtime is big, and the same for all of them. */
function cacheFolder(): string {
  const base =
    process.env['XDG_CACHE_HOME'] ||
    (process.platform === 'win32' ? process.env['LOCALAPPDATA'] : undefined) ||
    join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  return join(base, 'ferronet-bench');
}

/** The file that the package of a runtime runs: the real one, since what is measured must not be a wrapper. */
function executableOf(runtime: 'bun' | 'deno', folder: string): string | undefined {
  const packages = join(folder, 'node_modules');
  const candidates =
    runtime === 'bun' ? ['bun/bin/bun.exe'] : [`deno/deno${process.platform === 'win32' ? '.exe' : ''}`];
  return candidates.map((candidate) => join(packages, candidate)).find((file) => existsSync(file) && runs(file));
}

const runs = (file: string): boolean => spawnSync(file, ['--version']).status === 0;

function install(runtime: 'bun' | 'deno'): string | undefined {
  const folder = cacheFolder();
  const there = executableOf(runtime, folder);
  if (there) return there;
  process.stderr.write(`installing ${runtime} from npm in ${folder}\n`);
  mkdirSync(folder, { recursive: true });
  spawnSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, runtime], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: INSTALL_MILLISECONDS,
    shell: process.platform === 'win32',
  });
  return executableOf(runtime, folder);
}

/** Builds and installs what the peers need. Peers that cannot be had are told and left out. */
export function getBinaries(peers: readonly Implementation[]): { binaries: Binaries; peers: Implementation[] } {
  const binaries: Binaries = buildCrate();
  const there = peers.filter(({ name, runtime }) => {
    if (runtime !== 'bun' && runtime !== 'deno') return true;
    binaries[runtime] ??= install(runtime);
    if (binaries[runtime]) return true;
    process.stderr.write(`${name}: could not be installed from npm, the run goes on without it\n`);
    return false;
  });
  return { binaries, peers: there };
}
