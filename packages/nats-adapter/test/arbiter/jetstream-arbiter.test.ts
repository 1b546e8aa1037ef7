/** JetStream as an arbiter: the conformance suite on both client generations and on three servers, and what is refused. */
import { randomUUID } from 'node:crypto';
import { arbiterConformance, encodeName } from '@quorate/core/adapter';
import type { Arbiter, ArbiterPlace } from '@quorate/core/adapter';
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { natsTransport } from '../../src/index.ts';
import type { FoundingsOptions } from '../../src/index.ts';
import { streamClients, wrapped } from '../consumer/stream-world.ts';
import type { StreamConnection } from '../consumer/stream-world.ts';
import { describeOnServers, patienceMs } from '../jetstream-servers.ts';

function arbiterOf(connection: StreamConnection, group: string, foundings?: FoundingsOptions): Arbiter {
  const arbiter = natsTransport(connection, { ...(foundings && { foundings }) }).arbiter?.({ group });
  if (!arbiter) throw new Error('no arbiter');
  return arbiter;
}

async function ask(connection: StreamConnection, operation: string, body: unknown): Promise<Record<string, unknown>> {
  const { data } = await connection.request(`$JS.API.${operation}`, JSON.stringify(body), { timeout: 10_000 });
  const answer = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
  if (answer['error'] !== undefined) throw new Error(JSON.stringify(answer['error']));
  return answer;
}

/** As an administrator would who lifts the ban first. */
async function loseBeginning(connection: StreamConnection, group: string, of: 'the first record' | 'all records'): Promise<void> {
  const stream = `quorate_${encodeName(group)}_founding`;
  const { config } = (await ask(connection, `STREAM.INFO.${stream}`, {})) as { config: Record<string, unknown> };
  // What may not be purged may be made anew with a later first number.
  await ask(connection, `STREAM.DELETE.${stream}`, {});
  const first_seq = of === 'the first record' ? 2 : 4;
  await ask(connection, `STREAM.CREATE.${stream}`, { ...config, first_seq });
  const rest = of === 'the first record' ? 2 : 0;
  for (let number = 0; number < rest; number += 1)
    await connection.request(`quorate.${encodeName(group)}.founding`, 'kept', { timeout: 10_000 });
}

describeWithNats(
  'JetStream as an arbiter',
  () => {
    describeOnServers((connected, servers) => {
      const place = async (): Promise<ArbiterPlace> => {
        const group = `gruppe ${randomUUID()}`;
        return { open: () => arbiterOf(connected(), group), loseBeginning: (of) => loseBeginning(connected(), group, of) };
      };
      for (const { name, run } of arbiterConformance({ place, canLose: true })) test(name, run, patienceMs);

      test(
        'refuses a stream that forgets by age, and one with fewer replicas than wanted (1 process)',
        async () => {
          for (const [settings_, wanted, says] of [
            [{ max_age: 3_600e9 }, 1, /drops messages by age/],
            [{}, servers === 3 ? undefined : 3, /has 1 replicas, and 3 are wanted/],
          ] as const) {
            const group = randomUUID();
            const stream = `quorate_${encodeName(group)}_founding`;
            await ask(connected(), `STREAM.CREATE.${stream}`, {
              name: stream,
              subjects: [`quorate.${encodeName(group)}.founding`],
              num_replicas: 1,
              ...settings_,
            });
            const arbiter = arbiterOf(connected(), group, wanted === undefined ? {} : { replicas: wanted });
            await expect(arbiter.read()).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringMatching(says) as string });
            await expect(arbiter.append(0, Uint8Array.of(1))).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
          }
        },
        patienceMs,
      );

      test(
        'knows a record of its own again whose acknowledgement was lost (1 process)',
        async () => {
          const group = randomUUID();
          const connection = connected();
          let lost = 1;
          const losing = wrapped(connection, {
            request: async (subject, payload, options) => {
              const answer = await connection.request(subject, payload, options);
              if (!subject.startsWith('$JS') && (lost -= 1) >= 0) throw new Error('timeout');
              return answer;
            },
          });
          await expect(arbiterOf(losing, group).append(0, Uint8Array.of(7))).resolves.toBe(true);
          await expect(arbiterOf(connection, group).read()).resolves.toHaveLength(1);
        },
        patienceMs,
      );
    });

    test(
      'says that JetStream is missing where it is not enabled (1 server)',
      async () => {
        const broker = await natsBroker({
          own: true,
          config: 'accounts { A { users: [{ user: a, password: a }] }, SYS {} }\nsystem_account: SYS',
        });
        try {
          for (const { connect } of streamClients) {
            const connection = await connect({ servers: [...broker.urls], user: 'a', pass: 'a' });
            try {
              await expect(arbiterOf(connection, 'g').read()).rejects.toMatchObject({ code: 'ARBITER_MISSING', message: expect.stringMatching(/JetStream is not enabled/) as string }); // prettier-ignore
            } finally {
              await connection.close();
            }
          }
        } finally {
          await broker.close();
        }
      },
      patienceMs,
    );
  },
  { own: 'process' },
);
