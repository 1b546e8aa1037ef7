/** Throw-away probe. */
import { fork } from 'node:child_process';
import { connect } from '@nats-io/transport-node';
import { natsTransport } from '@quorate/nats-adapter';
import { openEngine } from '../../packages/core/src/runtime/open-engine.ts';
import { volatileStorage } from '../../packages/core/src/storage/memory.ts';
import { systemClock } from '../../packages/core/src/runtime/system-clock.ts';
import { natsBroker } from '../brokers/index.ts';
import { Floor } from './floor.ts';
import { Latencies } from './latency.ts';

const voters = ['a', 'b', 'c'];
async function child() {
  const [url, node, clientsText, at] = process.argv.slice(2) as [string, string, string, string];
  const clients = Number(clientsText);
  const connection = await connect({ servers: [url], maxReconnectAttempts: -1 });
  const transport = natsTransport(connection);
  const floor = await Floor.open({ transport, group: 'floor', node, voters });
  const engine = await openEngine({
    group: 'g',
    node,
    voters,
    transport,
    heartbeatMs: 100,
    electionTimeoutMs: 500,
    sessionTtlMs: 10000,
    maxSessionTtlMs: 10000,
    firstFounding: true,
    reads: 'lease',
    secrets: [],
    publish: 'none',
    storage: volatileStorage(),
    clock: systemClock,
    mailboxMax: 10000,
  });
  engine.events$.subscribe((e) => {
    if (e.type !== 'canvassing') process.env.VERBOSE && console.error(node, e.type, JSON.stringify(e));
  });
  while (engine.session === null || engine.status.leader === null) await new Promise((r) => setTimeout(r, 20));
  process.send!({ ready: node });
  const role = engine.status.role;
  const mine =
    at === 'leader'
      ? role === 'leader'
      : at === 'client'
        ? role === 'client'
        : role === 'voter' && voters.filter((v) => v !== engine.status.leader)[0] === node;
  process.on('disconnect', () => process.exit());
  if (!mine) return;
  await new Promise((r) => setTimeout(r, 500));
  const ask = (build: (seq: number) => never) =>
    new Promise<any>((resolve) =>
      engine.submit(build as never, (o) => {
        if (o.type !== 'result' || o.result[1] !== 2) resolve(o);
      }),
    );
  const locks = Array.from({ length: clients }, (_, i) => `l/${node}/${i}`);
  const lat = new Latencies();
  const cycle = async (ms: number, count: boolean) => {
    const until = performance.now() + ms;
    let n = 0;
    await Promise.all(
      locks.map(async (l) => {
        while (performance.now() < until) {
          const t = performance.now();
          const g = await ask(((seq: number) => [1, seq, l, 0, 0, null]) as never);
          if (count) lat.add(performance.now() - t);
          await ask(((seq: number) => [2, seq, l, g.result[2], null]) as never);
          n++;
        }
      }),
    );
    return n;
  };
  {
    const mine = locks.splice(0);
    for (let i = 0; i < 64; i++) locks.push(`w/${i}`);
    await cycle(3000, false);
    locks.splice(0);
    locks.push(...mine);
  }
  await cycle(500, false);
  let cycles = 0,
    work = 0;
  let cpu = 0;
  const peer = voters.filter((v) => v !== node)[0]!;
  await floor.ping(peer, { forMs: 300, frameBytes: 150, counted: false });
  const c0 = { ...engine.counters };
  for (let i = 0; i < (clients === 1 ? 40 : 10); i++) {
    const t = performance.now();
    const c = process.cpuUsage();
    cycles += await cycle(clients === 1 ? 100 : 500, true);
    work += performance.now() - t;
    const u = process.cpuUsage(c);
    cpu += (u.user + u.system) / 1000;
    await floor.ping(peer, { forMs: 100, frameBytes: 150, counted: true });
  }
  const c1 = engine.counters;
  console.log(
    at,
    role,
    'clients',
    clients,
    'cycles/s',
    Math.round((cycles / work) * 1000),
    'acquire',
    lat.quantiles,
    'floor',
    floor.quantiles.p50Ms,
    'ratio',
    (lat.quantiles.p50Ms / floor.quantiles.p50Ms).toFixed(2),
    'cpu',
    (cpu / work).toFixed(2),
    'frames/cycle in',
    ((c1.framesIn - c0.framesIn) / cycles).toFixed(2),
    'out',
    ((c1.framesOut - c0.framesOut) / cycles).toFixed(2),
  );
  process.send!({ done: true });
}
async function parent() {
  const [, , clients = '64', at = 'leader'] = process.argv;
  const broker = await natsBroker();
  const nodes = at === 'client' ? [...voters, 'z'] : voters;
  const kids = nodes.map((n) =>
    fork(__filename, [broker.url, n, clients, at], {
      execArgv: [
        '-C',
        'quorate-source',
        '-r',
        'ts-node/register',
        ...(process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/farm/prof', `--cpu-prof-name=${n}-${at}-${clients}.cpuprofile`] : []),
      ],
      env: { ...process.env, CHILD: '1' },
    }),
  );
  await new Promise((r) => kids.forEach((k) => k.on('message', (m: any) => m.done && r(0))));
  kids.forEach((k) => k.disconnect());
  await Promise.all(kids.map((k) => new Promise((r) => k.once('exit', r))));
  await broker.close();
}
void (process.env.CHILD ? child() : parent());
