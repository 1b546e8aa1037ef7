/** A service on NATS as it was, and Quorate added to it: the lines that end in `// +` are new. */
import { connect, StringCodec } from 'nats';
import { join } from '@quorate/core'; // +
import { natsTransport } from '@quorate/nats-adapter'; // +

const { POD_NAME: pod = '', QUORATE_NATS_URL: servers = '127.0.0.1:4222' } = process.env;
const text = StringCodec();

async function main(): Promise<void> {
  // Without -1 the client gives up for good after ten attempts to reconnect.
  const nc = await connect({ servers, name: pod, maxReconnectAttempts: -1 });
  nc.subscribe('example.orders', { queue: 'billing', callback: (_error, message) => void message.respond(text.encode('accepted')) });

  const voters = ['pod-0', 'pod-1', 'pod-2']; // +
  // `firstFounding` only because nobody of an earlier run is alive; a service leaves it out.
  const quorate = await join({ group: 'example-sweep', node: pod, voters, transport: natsTransport(nc), firstFounding: true }); // +
  const candidacy = quorate.election('sweeper').campaign(); // +
  setInterval(() => {
    const term = candidacy.current; // +
    if (!term) return; // + before, every pod swept
    nc.publish('example.sweep', text.encode(JSON.stringify({ pod, fence: term.token })));
  }, 100);

  process.once('SIGTERM', async () => {
    await quorate.close({ timeoutMs: 2_000 }); // +
    await nc.drain();
    process.exit();
  });
  process.send?.('ready');
}

void main();
