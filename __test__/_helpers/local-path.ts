// Where a local socket is on this platform.
import { basename, join } from 'node:path';

const PIPES = '\\\\.\\pipe\\';

/** A path of a socket in a folder; on Windows the name of a pipe, all of which are in one place. */
export function localPath(folder: string, name: string): string {
  return process.platform === 'win32' ? `${PIPES}${basename(folder)}-${name}` : join(folder, name);
}
