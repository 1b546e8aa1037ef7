/** A real voter whose folder is put back to an older copy: it says so, is swapped in, and the group serves meanwhile. The safety rule 21. */
import { cpSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithNats } from '../support/brokers.ts';
import { Crew, natsTiming } from './crew.ts';

const testTimeoutMs = 300_000;
const { heartbeatMs } = natsTiming.timing!;

describeWithNats('a voter in a process on NATS whose LMDB folder is restored from a copy', (nats) => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-lmdb-'));
  const crew = new Crew();
  afterAll(async () => {
    await crew.leave();
    await crew.end();
    rmSync(folder, { recursive: true, force: true });
  }, testTimeoutMs);

  test(
    'says that its store went back and is swapped in, while the others serve and tokens rise (3 voters and a client, a process each)',
    async () => {
      const keeping = { type: 'lmdb', folder } as const;
      const { followers, client } = await crew.form({ type: 'nats', urls: nats.urls }, { ...natsTiming, keeping });
      const [voter] = followers;
      const [seat, copy] = [join(folder, voter.name), join(folder, `${voter.name} copy`)];
      await voter.leave();
      cpSync(seat, copy, { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
      await voter.rejoin();
      await voter.ask('whenReady', undefined);
      expect((await voter.look()).errors).toEqual([]);
      const changes = (await client.look()).votersChanged;
      const before = await client.acquire('before');
      await client.release(before.token);
      await client.workFor(10 * heartbeatMs);

      await voter.kill();
      rmSync(seat, { recursive: true });
      cpSync(copy, seat, { recursive: true });
      await voter.rejoin();
      const between = await client.acquire('between');
      await voter.ask('whenReady', undefined);

      expect((await voter.look()).errors).toEqual([expect.stringMatching(/store of this voter went back/)]);
      expect((await client.look()).votersChanged).toBeGreaterThan(changes);
      const after = await client.acquire('after');
      expect([before.token, between.token, after.token]).toEqual([before.token, between.token, after.token].sort((a, b) => a - b));
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );
});
