// `ferronet/systemd`: the sockets that systemd, or another service manager with its protocol, has opened for this process:
// sd_listen_fds(3).
import { fstatSync } from 'node:fs';

import { guessHandleType } from '../lib/handle/binding.js';
import { ERR_INVALID_ARG_VALUE } from '../lib/errors/errors.js';
import { EMPTY } from '../lib/node/empty.js';

/** `SD_LISTEN_FDS_START`: the first number after the standard streams. */
const FIRST = 3;

/** The name of a socket without one, as sd_listen_fds_with_names(3) has it. */
const UNKNOWN = 'unknown';

/** A socket that was opened for this process. It can be passed to `listen` or `new Socket` as it is. */
export interface InheritedSocket {
  fd: number;
  /** `FileDescriptorName=` of the unit; by default systemd uses the name of the unit. */
  name: string;
  /** `TCP`, `PIPE` for a Unix socket, or a type that this package cannot use. */
  type: 'TCP' | 'PIPE' | 'FILE' | 'TTY' | 'UDP' | 'UNKNOWN';
}

/** Options of `listenFds()` and `listenFdsWithNames()`. */
export interface ListenFdsOptions {
  /** Removes `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` from the environment. Default `false`. */
  unsetEnvironment?: boolean | undefined;
}

/**
 * The sockets that were opened for this process, in the order of the unit: `server.listen(listenFds()[0])`. Empty if there
 * are none, or if they are meant for another process. Node itself prevents children from inheriting them.
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE when the environment variables are invalid
 * @throws Error with syscall `fstat` when one of them is not open
 */
export function listenFds({ unsetEnvironment = false }: ListenFdsOptions = EMPTY): InheritedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = process.env;
  if (unsetEnvironment) {
    delete process.env['LISTEN_PID'];
    delete process.env['LISTEN_FDS'];
    delete process.env['LISTEN_FDNAMES'];
  }
  if (pid === undefined || count === undefined) return [];
  if (readNumber('LISTEN_PID', pid) !== process.pid) return [];
  return readNames(readNumber('LISTEN_FDS', count), names).map((name, at) => inherit(FIRST + at, name));
}

/**
 * The same sockets by name; several may have the same one: `server.listen(listenFdsWithNames().web[0])`.
 *
 * @throws as `listenFds`
 */
export function listenFdsWithNames(options: ListenFdsOptions = EMPTY): Record<string, InheritedSocket[]> {
  const byName = Object.create(null) as Record<string, InheritedSocket[]>;
  for (const socket of listenFds(options)) (byName[socket.name] ??= []).push(socket);
  return byName;
}

function readNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new ERR_INVALID_ARG_VALUE(`process.env.${name}`, text, 'must be a number');
  return Number(text);
}

function readNames(count: number, text: string | undefined): string[] {
  const given = text ?? Array<string>(count).fill(UNKNOWN).join(':');
  const names = count === 0 && given === '' ? [] : given.split(':');
  if (names.length !== count) {
    throw new ERR_INVALID_ARG_VALUE('process.env.LISTEN_FDNAMES', text, `must have ${count} names`);
  }
  return names;
}

function inherit(fd: number, name: string): InheritedSocket {
  // Throws for one that is not open.
  fstatSync(fd);
  return { fd, name, type: guessHandleType(fd) };
}
