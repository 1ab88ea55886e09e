// node:http over sockets of either implementation: a server that is handed its connections, and requests to it.
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import type { Place } from './both.js';

export interface Front {
  http: http.Server;
  port: number;
  sockets: Socket[];
}

/** An http.Server that does not listen itself: connections come from a server of `place`. */
export async function front(place: Place, onRequest: RequestListener): Promise<Front> {
  const server = http.createServer(onRequest);
  const sockets: Socket[] = [];
  const { port } = await place.listen((socket) => {
    sockets.push(socket);
    server.emit('connection', socket);
  });
  return { http: server, port, sockets };
}

export interface Answer {
  status: number | undefined;
  body: string;
  /** The socket that the answer came on. */
  socket: Socket;
}

/** Asks and waits for the whole answer. */
export async function ask(options: RequestOptions, body?: Buffer | string): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { socket } = response;
  return { status: response.statusCode, body: await text(response), socket };
}
