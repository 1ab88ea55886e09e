// The two modules that are compared. Whatever is asked of one is asked of the other, so both wear the type of node:net.
import nodeNet from 'node:net';

import * as ferronet from 'ferronet';

export type Net = typeof nodeNet;

export const node: Net = nodeNet;
export const ours: Net = ferronet;

/** Whether it is Node that runs the tests. Elsewhere `node:net` is another implementation, and not the reference. */
export const isNode: boolean = process.versions['bun'] === undefined && process.versions['deno'] === undefined;

/** Those that one and the same test is for, and their names, for programs. */
export const tried: Readonly<Record<string, Net>> = isNode ? { 'node:net': node, ferronet: ours } : { ferronet: ours };
export const triedNames: readonly string[] = Object.keys(tried);

/** A Node binary, for programs that have to run on Node whatever runs the tests (scripts/runtimes sets its path). */
export const nodeProgram: string = process.env['FERRONET_NODE'] ?? process.execPath;

/** What plays the other end. */
export const peer: Net = isNode ? node : ours;

/** The major version of the Node that runs the tests, or of the one that the runtime wants to be taken for. */
export const nodeMajor: number = Number(process.versions.node.split('.')[0]);
