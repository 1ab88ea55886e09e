// Node's permission model: what `--permission` keeps from node:net it keeps from ferronet, with the same errors.
import test from 'ava';

import { runScript } from './_helpers/script.js';

const { allowedNodeEnvironmentFlags: known } = process;
const hasPermissions = known.has('--permission');
const knowsNet = known.has('--allow-net');

// An addon must be allowed, and the files of the package must be read.
const FLAGS = ['--no-warnings', '--permission', '--allow-addons', '--allow-fs-read=*'];

// Calls that use the network, each with what a program sees of its failure. `errno` of a refused connect is an object in
// Node, with what the error itself should have.
const PROLOGUE = `
  const described = (error) => {
    const { message, code, syscall, address, port, hostname, errno, errors } = error;
    const { permission, resource } = error.permission === undefined && errno ? errno : error;
    return {
      title: String(error), class: error.constructor.name, message, code, permission, resource, syscall, address, port,
      hostname, errors: errors?.map(described),
    };
  };
  const outcome = (call) => new Promise((resolve) => {
    const events = [];
    try {
      const emitter = call();
      for (const event of ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'listening']) {
        emitter.on?.(event, (...args) => events.push([event, args.length]));
      }
      emitter.on?.('error', (error) => { events.push(['error', described(error)]); resolve(events); });
      emitter.on?.('listening', () => { emitter.close(); resolve(events); });
      if (!emitter.on) resolve(['returned']);
    } catch (error) {
      resolve(['threw', described(error)]);
    }
  });
  const report = async (calls) => {
    const outcomes = {};
    for (const [title, call] of Object.entries(calls)) outcomes[title] = await outcome(call);
    console.log(JSON.stringify(outcomes));
  };`;

const CALLS = `{
  'connect, IPv4': () => net.connect(1, '127.0.0.1'),
  'connect, IPv6': () => net.connect(1, '::1'),
  'connect, port 0': () => net.connect(0, '127.0.0.1'),
  'connect, path': () => net.connect('/nowhere/at/all'),
  'connect, name': () => net.connect(1, 'localhost'),
  'connect, name, one address': () => net.connect({ port: 1, host: 'a.test', lookup: answer([4]) }),
  'connect, name, two addresses': () => net.connect({ port: 1, host: 'a.test', lookup: answer([4, 6]) }),
  'listen, anywhere': () => net.createServer().listen(0),
  'listen, name': () => net.createServer().listen(0, 'localhost'),
  'listen, path': () => net.createServer().listen('/nowhere/at/all'),
}`;

// Node 25 has no BoundSocket, and no older Node a permission to refuse it.
const BOUND_CALLS = `net.BoundSocket ? {
  'bound socket, address': () => new net.BoundSocket(),
  'bound socket, path': () => new net.BoundSocket({ path: '/nowhere/at/all' }),
} : {}`;

const LOOKUP = `
  const addresses = { 4: '127.0.0.1', 6: '::1' };
  const answer = (families) => (_host, { all }, done) => {
    const list = families.map((family) => ({ address: addresses[family], family }));
    process.nextTick(() => all ? done(null, list) : done(null, list[0].address, list[0].family));
  };`;

type Outcomes = Record<string, [string, unknown][]>;

async function outcomes(module: string, calls: string, flags: string[]): Promise<Outcomes> {
  const source = `const net = require('${module}'); ${LOOKUP} ${PROLOGUE} report(${calls});`;
  const { stdout, stderr, code } = await runScript(source, { flags });
  if (code !== 0) throw new Error(`${module} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Outcomes;
}

const whenKnown = knowsNet ? test : test.skip;
const whenAny = hasPermissions ? test : test.skip;

whenKnown('without --allow-net connections and servers are refused as by node:net', async (t) => {
  const calls = `{ ...${CALLS}, ...${BOUND_CALLS} }`;
  const theirs = await outcomes('node:net', calls, FLAGS);
  const mine = await outcomes('ferronet', calls, FLAGS);
  for (const [title, expected] of Object.entries(theirs)) {
    t.regex(JSON.stringify(expected), /ERR_ACCESS_DENIED/, `node:net: ${title}`);
    t.deepEqual(mine[title], expected, title);
  }
});

whenKnown('with --allow-net they fail or succeed as without permissions', async (t) => {
  const flags = [...FLAGS, '--allow-net'];
  const theirs = await outcomes('node:net', CALLS, flags);
  t.notRegex(JSON.stringify(theirs), /ERR_ACCESS_DENIED/);
  t.deepEqual(await outcomes('ferronet', CALLS, flags), theirs);
});

// Node hands the refusal on as the `errno` of the error; its own `permission` and `resource` are missing.
whenKnown('a refused connect says itself what was refused, and has no errno', async (t) => {
  const keys = (module: string): Promise<string> =>
    runScript(
      `require('${module}').connect(1, '127.0.0.1').on('error', (error) => console.log(Object.keys(error).join()));`,
      { flags: FLAGS },
    ).then(({ stdout }) => stdout.trim());
  t.is(await keys('node:net'), 'errno,code,syscall,address,port');
  t.is(await keys('ferronet'), 'code,permission,resource,syscall,address,port');
});

// node:net throws these from a callback of its own, where a program cannot catch them.
const UNCAUGHT: Record<string, string> = {
  'connect from a local address': "net.connect({ port: 1, host: '127.0.0.1', localAddress: '127.0.0.1' })",
  'listen on an address': "net.createServer().listen(0, '127.0.0.1')",
};

for (const [title, call] of Object.entries(UNCAUGHT)) {
  whenKnown(`a refusal is an error event: ${title}`, async (t) => {
    const source = (module: string): string =>
      `const net = require('${module}'); ${call}.on('error', ({ code }) => console.log('event', code));`;
    t.like(await runScript(source('node:net'), { flags: FLAGS }), { code: 1, stdout: '' });
    const mine = await runScript(source('ferronet'), { flags: FLAGS });
    t.like(mine, { code: 0, stdout: 'event ERR_ACCESS_DENIED\n', stderr: '' });
  });
}

whenKnown('the promises reject', async (t) => {
  const source = `
    const { promises } = require('ferronet');
    const refused = [promises.connect(1, '127.0.0.1'), promises.listen({ port: 0 }), promises.listen({ port: 0, host: '127.0.0.1' })];
    Promise.allSettled(refused).then((all) => console.log(all.map(({ reason }) => reason?.code).join()));`;
  const { stdout, stderr, code } = await runScript(source, { flags: FLAGS });
  t.is(stdout.trim(), 'ERR_ACCESS_DENIED,ERR_ACCESS_DENIED,ERR_ACCESS_DENIED', stderr);
  t.is(code, 0);
});

if (!knowsNet) {
  whenAny('this Node has no permission for net: nothing is refused, as by node:net', async (t) => {
    const theirs = await outcomes('node:net', CALLS, FLAGS);
    t.notRegex(JSON.stringify(theirs), /ERR_ACCESS_DENIED/);
    t.deepEqual(await outcomes('ferronet', CALLS, FLAGS), theirs);
  });
}

if (!hasPermissions) {
  test('this Node has no --permission: nothing to refuse', (t) => {
    t.false(knowsNet);
    t.is((process as { permission?: unknown }).permission, undefined);
  });
}
