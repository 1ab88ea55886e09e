// The two modules that are compared. Whatever is asked of one is asked of the other, so both wear the type of node:net.
import nodeNet from 'node:net';

import * as ferronet from 'ferronet';

export type Net = typeof nodeNet;

export const node: Net = nodeNet;
export const ours: Net = ferronet as unknown as Net;

/** The major version of the Node that runs the tests. */
export const nodeMajor: number = Number(process.versions.node.split('.')[0]);
