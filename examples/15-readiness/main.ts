/** The stage of the example: a roll-out of three voters, as Kubernetes does it, by the word of their probes. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const voters = ['billing-0', 'billing-1', 'billing-2'];
const volumes = new Map<string, string>();
const tokens: number[] = [];

interface Pod {
  readonly process: ChildProcess;
  readonly port: number;
}

async function start(name: string): Promise<Pod> {
  const store = volumes.get(name);
  const env = { POD_NAME: name, VOTERS: voters.join(), NATS_URL: process.env.QUORATE_NATS_URL, HEALTH_PORT: '0', FIRST_FOUNDING: 'yes' };
  const process_ = fork(path.join(__dirname, 'pod.ts'), {
    env: { ...process.env, ...env, ...(store === undefined ? {} : { STORE: store }) },
  });
  const [{ port }] = (await once(process_, 'message')) as [{ port: number }];
  process_.on('message', ({ token }: { token: number }) => tokens.push(token));
  return { process: process_, port };
}

async function probe({ port }: Pod, what: '/ready' | '/live'): Promise<{ ok: boolean; why: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${what}`);
  return { ok: response.ok, why: (await response.text()).trim() };
}

/** As a kubelet does it, only more often. */
async function ready(pod: Pod): Promise<void> {
  while (!(await probe(pod, '/ready')).ok) await pause(50);
}

async function stop({ process: pod }: Pod): Promise<void> {
  pod.kill('SIGTERM');
  await once(pod, 'exit');
}

async function main(): Promise<void> {
  for (const name of voters) volumes.set(name, await mkdtemp(path.join(tmpdir(), 'quorate-readiness-')));
  const pods = new Map<string, Pod>();
  const startAll = (names: readonly string[]): Promise<unknown> =>
    Promise.all(names.map(async (name) => pods.set(name, await start(name))));
  await startAll(voters.slice(0, 2));
  const first = pods.get('billing-0') as Pod;
  const { ok, why } = await probe(first, '/ready');
  console.log(`billing-0 alone: ${ok ? 'ready' : 'not ready'} (${why}), ${(await probe(first, '/live')).ok ? 'live' : 'not live'}`);

  await startAll(['billing-2', 'billing-worker-x7k2p']);
  await Promise.all([...pods.values()].map(ready));
  console.log('three voters and a worker are ready');

  // One after the other, from the last, each only when the one before is ready again.
  for (const name of voters.toReversed()) {
    const before = tokens.length;
    await stop(pods.get(name) as Pod);
    const again = await start(name);
    pods.set(name, again);
    await ready(again);
    // `minReadySeconds`: a voter that comes back with its memory votes after four election timeouts.
    await pause(2_500);
    console.log(`${name} was replaced and is ready${tokens.length > before ? '; the others went on' : ''}`);
  }

  await Promise.all([...pods.values()].map(stop));
  console.log(new Set(tokens).size === tokens.length ? 'no token was granted twice' : `wrong: ${tokens.join()}`);
  for (const folder of volumes.values()) await rm(folder, { recursive: true });
}

void main();
