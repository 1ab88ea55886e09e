// Node's native classes `TCP` and `Pipe`, which only its own modules can name: taken from handles that it makes.
import { errnoException } from '../errors/errors.js';
import { nodeNet } from '../node/modules.js';
import { duplicateDescriptor } from './binding.js';

/** What is used of a `TCP` or `Pipe` of Node's. */
export interface NodeHandle {
  /** -1 on Windows. */
  readonly fd: number;
  close(callback?: () => void): void;
  hasRef(): boolean;
  ref(): void;
  unref(): void;
}

/** One that takes over a descriptor. */
export interface NodeStreamHandle extends NodeHandle {
  /** On Windows the number of a socket. Returns 0 or a negative error. */
  open(fd: number): number;
}

/** Node's class `TCP` or `Pipe`. */
export type NodeHandleClass = new (type: number) => NodeStreamHandle;

interface NodeNet {
  _createServerHandle(address: string | null, port: number, addressType: number, fd?: number): NodeHandle | number;
}

/** @throws Error with syscall `open` */
export function createNodeHandle(...where: Parameters<NodeNet['_createServerHandle']>): NodeHandle {
  const handle = (nodeNet() as unknown as NodeNet)._createServerHandle(...where);
  if (typeof handle === 'number') throw errnoException(handle, 'open');
  return handle;
}

function classOf(handle: NodeHandle): NodeHandleClass {
  handle.close();
  return handle.constructor as NodeHandleClass;
}

let tcp: NodeHandleClass | undefined;

/**
 * `TCP`, taken from a bound handle.
 *
 * @throws as `createNodeHandle`
 */
export function nodeTCP(): NodeHandleClass {
  return (tcp ??= classOf(createNodeHandle('127.0.0.1', 0, 4)));
}

/**
 * The class for what a descriptor is, which stays open.
 *
 * @throws as `createNodeHandle`; Error with syscall `dup`
 */
export function nodeClassOf(fd: number): NodeHandleClass {
  const duplicate = duplicateDescriptor(fd);
  if (duplicate < 0) throw errnoException(duplicate, 'dup');
  return classOf(createNodeHandle(null, 0, 0, duplicate));
}
