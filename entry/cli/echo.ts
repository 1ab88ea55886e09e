// `ferronet echo`: sends back what it receives.
import { type Command, Exit } from './command.js';
import { LIVE_DETAILS, LIVE_OPTIONS, serve } from './connections.js';
import { LISTEN_DETAILS, readEndpoint } from './endpoint.js';

export const echo: Command = {
  name: 'echo',
  synopsis: '[LISTEN]',
  summary: 'Sends back what it receives, until it is interrupted.',
  details: `LISTEN is a port, HOST:PORT, [IPv6]:PORT or a path; by default any free port of localhost.
${LISTEN_DETAILS}

${LIVE_DETAILS}

Example: ferronet echo 127.0.0.1:7000, and in another terminal: nc 127.0.0.1 7000`,
  options: LIVE_OPTIONS,
  takes: [0, 1],
  run([listen = 'localhost:0'], values): Promise<Exit> {
    const title = (address: string): string => `echo on ${address}`;
    return serve(readEndpoint(listen), values, title, (socket, counts) => {
      socket.on('error', (error) => counts.fail(error));
      socket.pipe(socket);
    });
  },
};
