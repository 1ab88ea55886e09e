// What connections of Node's protocols leave behind, and what happens without a descriptor for one.
import { bothProtocols } from '../_helpers/protocols.js';
import { cert, key } from '../_helpers/certificate.js';
import { runScript } from '../_helpers/script.js';

const functions = (isOurs: boolean): string => `
  const http = require('node:http');
  const net = require('node:net');
  const tls = require('node:tls');
  const { once } = require('node:events');
  const { readdirSync } = require('node:fs');
  const { serve, HttpAgent, connectTls } = ${
    isOurs
      ? `require('ferronet/http')`
      : '{ serve: (server) => server, HttpAgent: http.Agent, connectTls: tls.connect }'
  };
  const [key, cert] = ${JSON.stringify([key, cert])};
  const host = '127.0.0.1';
  const descriptors = () => readdirSync('/dev/fd').length;
  async function listen(behind) {
    const server = serve(behind).listen(0, host);
    await once(server, 'listening');
    return server;
  }`;

bothProtocols('two thousand connections', async (t, place) => {
  const { code, stdout, stderr } = await runScript(
    `${functions(place.isOurs)}
     (async () => {
       const plain = await listen(http.createServer((request, response) => response.end('well')));
       const secure = await listen(tls.createServer({ key, cert }, (socket) => socket.end('well')));
       const ports = [plain.address().port, secure.address().port];
       const over = (emitter) => new Promise((resolve) => emitter.on('error', () => {}).on('close', resolve));
       const requested = (port) => over(http.get({ port, host, agent: new HttpAgent() }, (got) => got.resume()));
       const secured = (destroyed) => {
         const client = connectTls({ port: ports[1], host, ca: cert, servername: 'localhost' });
         if (destroyed) client.destroy();
         return over(client.resume());
       };
       async function many(count, connect) {
         for (let i = 0; i < count; i += 20) await Promise.all(Array.from({ length: 20 }, connect));
       }
       async function round() {
         await many(600, () => requested(ports[0]));
         await many(200, () => secured(false));
         await many(100, () => requested(1));
         await many(100, () => secured(true));
         for (let i = 0; i < 10; i++) await new Promise(setImmediate);
         gc();
         return { memory: process.memoryUsage().heapUsed, open: descriptors() };
       }
       await round();
       const [before, after] = [await round(), await round()];
       const counts = [plain, secure].map((server) => new Promise((resolve) => server.getConnections((_, n) => resolve(n))));
       console.log(after.open - before.open, after.memory - before.memory < 1 << 20, ...(await Promise.all(counts)));
       plain.close();
       secure.close();
     })();`,
    { flags: ['--expose-gc'], limit: 60_000 },
  );
  t.deepEqual([code, stdout, stderr], [0, '0 true 0 0\n', '']);
});

bothProtocols('no descriptor is left', async (t, place) => {
  const { code, stdout, stderr } = await runScript(
    `${functions(place.isOurs)}
     (async () => {
       const server = await listen(http.createServer((request, response) => response.end('well')));
       const { port } = server.address();
       const get = (agent) => new Promise((resolve) => {
         const request = http.get({ port, host, agent }, (got) => got.resume().on('end', () => resolve(got.statusCode)));
         request.on('error', ({ code }) => resolve(code));
       });
       console.log(await get(new HttpAgent()));
       const clients = [];
       for (let code; code !== 'EMFILE'; ) {
         const client = net.connect(port, host).on('error', (error) => (code = error.code));
         await new Promise((resolve) => client.on('connect', resolve).on('close', resolve));
         clients.push(client);
       }
       console.log(await get(new HttpAgent()));
       for (const client of clients) client.destroy();
       await new Promise((resolve) => setTimeout(resolve, 100));
       console.log(await get(new HttpAgent()));
       server.close();
     })();`,
    { descriptors: 64 },
  );
  t.deepEqual([code, stdout, stderr], [0, '200\nEMFILE\n200\n', '']);
});
