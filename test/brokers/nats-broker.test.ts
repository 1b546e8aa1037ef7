/** The brokers that tests hurt: one dies and comes back with its address and data, and none outlives the process that started it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nats';
import { natsBroker } from '../../scripts/brokers/index.ts';
import { describeWithNats } from '../support/brokers.ts';

/** How long the keeper may take on a busy machine; it needs a fraction of a second. */
const deadlineMs = 20_000;

describeWithNats(
  'a nats-server of a test',
  () => {
    test('comes back at the same address with its stream after kill -9 (1 server)', async () => {
      await using broker = await natsBroker({ own: 'process' });
      const before = await connect({ servers: broker.url });
      const manager = await before.jetstreamManager();
      await manager.streams.add({ name: 'kept', subjects: ['kept'] });
      const [pid] = broker.pids;
      await broker.kill();
      expect(broker.pids).toEqual([]);
      await before.close();
      await broker.start();
      expect(broker.pids).not.toEqual([pid]);
      const after = await connect({ servers: broker.url });
      expect(await (await after.jetstreamManager()).streams.names().next()).toEqual(['kept']);
      await after.close();
    });

    test('is one of three that know each other when a cluster is asked for (3 servers)', async () => {
      await using broker = await natsBroker({ own: true, cluster: 3 });
      expect(broker.urls).toHaveLength(3);
      const nc = await connect({ servers: [...broker.urls] });
      const manager = await nc.jetstreamManager();
      const stream = await manager.streams.add({ name: 'replicated', subjects: ['replicated'], num_replicas: 3 });
      expect(stream.config.num_replicas).toBe(3);
      await nc.close();
    });

    test('takes more configuration from the test (1 server)', async () => {
      await using broker = await natsBroker({ config: 'max_payload: 2048' });
      const nc = await connect({ servers: broker.url });
      expect(nc.info?.max_payload).toBe(2048);
      await nc.close();
    });

    test('dies with the process that started it, even by kill -9, and leaves no data (1 server)', async () => {
      const script = `
        const { natsBroker } = require('./scripts/brokers/index.ts');
        natsBroker({ own: 'process' }).then((broker) => {
          console.log(JSON.stringify({ url: broker.url, dataDir: broker.dataDir }));
          setInterval(() => undefined, 1000);
        });`;
      const child = spawn(process.execPath, ['-C', 'quorate-source', '-r', 'ts-node/register', '-e', script], {
        cwd: resolve(__dirname, '..', '..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const [line] = (await once(child.stdout, 'data')) as [Buffer];
        const { url, dataDir } = JSON.parse(line.toString()) as { url: string; dataDir: string };
        const nc = await connect({ servers: url, reconnect: false });
        child.kill('SIGKILL');
        await Promise.race([nc.closed(), sleep(deadlineMs, undefined, { ref: false })]);
        expect(nc.isClosed()).toBe(true);
        const untilMs = performance.now() + deadlineMs;
        while (existsSync(dataDir) && performance.now() < untilMs) await sleep(20);
        expect(existsSync(dataDir)).toBe(false);
      } finally {
        child.kill('SIGKILL');
      }
    });
  },
  { own: 'process' },
);
