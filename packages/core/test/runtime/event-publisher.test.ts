/** What is counted of lock events: those that were given to the transport, and those that reached nobody for what is known. */
import { EventPublisher } from '../../src/runtime/event-publisher.ts';
import type { Channel, ChannelStatus, PublishedEvent } from '../../src/transport/transport.ts';
import type { PublishedChange } from '../../src/group/member.ts';

/** A channel that refuses the events of some names as it is given them. */
class RefusingChannel implements Partial<Channel> {
  status: ChannelStatus = 'connected';
  eventsDropped = 0;
  readonly published: string[] = [];

  constructor(private readonly refused: readonly string[]) {}

  publishEvents(events: readonly PublishedEvent[]): void {
    for (const { name } of events) {
      if (this.refused.includes(name)) this.eventsDropped += 1;
      else this.published.push(name);
    }
  }
}

function publishing(channel: RefusingChannel) {
  let left: Channel | null = channel as Partial<Channel> as Channel;
  const publisher = new EventPublisher('g', 'all', () => left, { afterOthers: () => undefined });
  const publish = (...names: readonly string[]) => {
    publisher.add(names.map(granted), 'f');
    publisher.flush();
  };
  return { publisher, publish, closeChannel: () => (left = null) };
}

function granted(name: string): PublishedChange {
  const change = { type: 'granted', resource: `l/${name}`, node: 'a', session: 1, token: 1, value: null } as const;
  return { slot: 1, index: 0, wallMs: 0, change };
}

test('counts what the channel withholds as dropped and not as published, also once it is closed (1 channel)', () => {
  const { publisher, publish, closeChannel } = publishing(new RefusingChannel(['x']));
  publish('x', 'y', 'x');
  closeChannel();
  publish('y');
  expect(publisher.counters).toEqual({ eventsPublished: 1, eventsDropped: 3 });
});

test('counts what is refused after it was published as both, so that no count ever falls (1 channel)', () => {
  const channel = new RefusingChannel([]);
  const { publisher, publish } = publishing(channel);
  publish('x', 'y');
  channel.eventsDropped += 1;
  publish('y');
  expect(publisher.counters).toEqual({ eventsPublished: 3, eventsDropped: 1 });
});
