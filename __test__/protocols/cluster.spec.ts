// Servers of Node's protocols in the workers of a cluster, where the primary accepts, or binds and shares its socket.
import { join } from 'node:path';

import { bothProtocols } from '../_helpers/protocols.js';
import { runScript } from '../_helpers/script.js';

const exec: string = join(__dirname, '..', '_helpers', 'serving-worker.js');

for (const policy of ['SCHED_RR', 'SCHED_NONE']) {
  bothProtocols(`a worker serves, ${policy}`, async (t, place) => {
    const settings = { exec, execArgv: [], args: [place.isOurs ? 'ferronet' : 'node'] };
    const { code, stdout, stderr } = await runScript(
      `const cluster = require('node:cluster');
       const http = require('node:http');
       cluster.schedulingPolicy = cluster.${policy};
       cluster.setupPrimary(${JSON.stringify(settings)});
       const worker = cluster.fork();
       worker.on('listening', async ({ port }) => {
         for (let i = 0; i < 3; i++) {
           await new Promise((resolve) => http.get({ port, host: '127.0.0.1', agent: false }, (got) => {
             got.on('data', (text) => console.log(String(text))).on('end', resolve);
           }));
         }
         worker.disconnect();
       });`,
    );
    t.deepEqual([code, stdout, stderr], [0, '127.0.0.1\n'.repeat(3), '']);
  });
}
