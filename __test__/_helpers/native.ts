// Compiles what the tests have written in C (`__test__/_native`), where that can be done: for a Node of this very machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCES = join(__dirname, '..', '..', '__test__', '_native');

/** By Node's names, those of compilers. */
const PROCESSORS: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

function whatIsMissing(): string {
  if (process.platform !== 'linux') return 'not Linux';
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  // A compiler found on the way makes libraries for the machine's own C library.
  if (header.glibcVersionRuntime === undefined) return 'not glibc';
  const { status, stdout } = spawnSync('cc', ['-dumpmachine'], { encoding: 'utf8' });
  if (status !== 0) return 'cc is not installed';
  // This Node's processor may be an emulated one, and the compiler that of the real one.
  return stdout.startsWith(PROCESSORS[process.arch] ?? process.arch) ? '' : `cc compiles for ${stdout.trim()}`;
}

/** Why nothing can be compiled, or ''. */
export const missing = whatIsMissing();
/** For the titles of tests that are skipped then. */
export const because = missing && ` (skipped: ${missing})`;

export interface Compiled {
  folder: string;
  /** In the order of the names. */
  files: string[];
  remove(): void;
}

/** Compiles libraries and addons, by the names of their sources, into a folder. */
export function compile(...names: string[]): Compiled {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-native-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const files = names.map((name) => {
    const file = join(folder, `${name}.node`);
    const flags = ['-O1', '-shared', '-fPIC', '-Wall', '-Werror', '-o', file, join(SOURCES, `${name}.c`), '-ldl'];
    const { status, stderr } = spawnSync('cc', flags, { encoding: 'utf8' });
    if (status === 0) return file;
    remove();
    throw new Error(`cc ${name}.c: ${stderr}`);
  });
  return { folder, files, remove };
}
