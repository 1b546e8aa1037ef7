/** A broker that hangs, dies or hands its partitions over: recovered from without the user, and without a stray rejection. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaBroker } from '../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../test/support/brokers.ts';
import { kafkaTransport } from '../src/index.ts';
import { RecordedChannel } from './recorded-channel.ts';

const voters = ['a', 'b'];
const strays: unknown[] = [];
const onStray = (reason: unknown) => void strays.push(reason);
beforeAll(() => process.on('unhandledRejection', onStray));
afterAll(() => process.off('unhandledRejection', onStray));
afterEach(() => expect(strays.splice(0)).toEqual([]));

function client(broker: KafkaBroker): Kafka {
  return new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
}

async function openBoth(broker: KafkaBroker): Promise<[RecordedChannel, RecordedChannel]> {
  const group = randomUUID();
  const open = (node: string) => RecordedChannel.open(kafkaTransport(client(broker)), { group, node, voters });
  return Promise.all([open('a'), open('b')]);
}

/** Frames flow by every way there is. */
async function framesFlow([a, b]: readonly [RecordedChannel, RecordedChannel], mark: string): Promise<void> {
  for (const [from, to, name] of [
    [a, b, 'b'],
    [b, a, 'a'],
  ] as const) {
    const texts = ['all', 'voters', 'node'].map((way) => `${mark} by ${way}`);
    await to.until(
      () => texts.every((text) => to.texts.includes(text)),
      () => {
        from.send({ type: 'all' }, `${mark} by all`);
        from.send({ type: 'voters' }, `${mark} by voters`);
        from.send({ type: 'node', node: name }, `${mark} by node`);
      },
    );
  }
}

async function closeBoth(channels: readonly RecordedChannel[]): Promise<void> {
  await Promise.all(channels.map(({ channel }) => channel.close()));
}

describeWithKafka(
  'one broker',
  () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await kafkaBroker({ own: 'process' });
    }, 120_000);
    afterAll(() => broker.close());

    test('is killed twice while frames are on their way, and carries them again after each restart (2 voters)', async () => {
      const both = await openBoth(broker);
      await framesFlow(both, 'before');
      for (const round of ['first', 'second']) {
        const chatter = setInterval(() => both[0].send({ type: 'all' }, 'chatter'), 1);
        await broker.kill();
        await both[0].until(() => both[0].channel.status === 'disconnected');
        await both[1].until(() => both[1].channel.status === 'disconnected');
        await broker.start();
        clearInterval(chatter);
        await framesFlow(both, round);
        // Frames flow as soon as a broker is reached; the channel says so once all that it needs is.
        for (const one of both) await one.until(() => one.channel.status === 'connected');
      }
      await closeBoth(both);
    }, 180_000);

    test('hangs: it is noticed long before the client would, and forgiven when it is over (2 voters)', async () => {
      const both = await openBoth(broker);
      await framesFlow(both, 'before');
      const [pid] = broker.pids;
      if (pid === undefined) throw new Error('the broker has no process of ours');
      process.kill(pid, 'SIGSTOP');
      try {
        for (const one of both) await one.until(() => one.statuses.includes('disconnected'));
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      for (const one of both) await one.until(() => one.channel.status === 'connected');
      await framesFlow(both, 'after');
      await closeBoth(both);
    }, 120_000);

    test('closes at once while a long poll waits and the broker is gone (2 voters)', async () => {
      const both = await openBoth(broker);
      await broker.kill();
      await both[0].until(() => both[0].channel.status === 'disconnected');
      await closeBoth(both);
      await broker.start();
    }, 120_000);
  },
  { own: 'process' },
);

describeWithKafka(
  'three brokers',
  () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await kafkaBroker({ cluster: 3 });
    }, 180_000);
    afterAll(() => broker.close());

    test('each killed in turn: partitions move and frames flow on by the others (2 voters)', async () => {
      const both = await openBoth(broker);
      await framesFlow(both, 'before');
      for (const [index, member] of broker.members.entries()) {
        await member.kill();
        await framesFlow(both, `without ${index}`);
        await member.start();
        await framesFlow(both, `with ${index} again`);
      }
      await closeBoth(both);
    }, 400_000);
  },
  { own: 'process' },
);
