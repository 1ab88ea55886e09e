import * as net from 'ferronet';
import type * as types from 'ferronet';

export const made: net.Server = net.createServer((socket: types.Socket) => socket.end());
export * as passed from 'ferronet';
export const later: Promise<typeof import('ferronet')> = import('ferronet');
