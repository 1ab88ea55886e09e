// Servers of Node's protocols in the workers of a cluster, where the primary accepts, or binds and shares its socket.
import { bothProtocols } from '../_helpers/protocols.js';
import { runScript } from '../_helpers/script.js';

for (const policy of ['SCHED_RR', 'SCHED_NONE']) {
  bothProtocols(`a worker serves, ${policy}`, async (t, place) => {
    const serve = place.isOurs ? `require('ferronet/http').serve` : '(server) => server';
    const { code, stdout, stderr } = await runScript(
      `const cluster = require('node:cluster');
       const http = require('node:http');
       const net = require('node:net');
       const host = '127.0.0.1';
       if (cluster.isPrimary) {
         cluster.schedulingPolicy = cluster.${policy};
         const worker = cluster.fork();
         worker.on('listening', async ({ port }) => {
           for (let i = 0; i < 3; i++) {
             await new Promise((resolve) => http.get({ port, host, agent: false }, (got) => {
               got.on('data', (text) => console.log(String(text))).on('end', resolve);
             }));
           }
           worker.disconnect();
         });
       } else {
         const serve = ${serve};
         const served = http.createServer(({ socket }, response) => {
           response.end(socket instanceof net.Socket ? socket.remoteAddress : 'another stream');
         });
         serve(served).listen(0, host);
       }`,
    );
    t.deepEqual([code, stdout, stderr], [0, '127.0.0.1\n'.repeat(3), '']);
  });
}
