/** Lock events for readers outside the group: off the path of requests, batched, bounded, and what is dropped is counted. */
import type { PublishedChange } from '../group/member.ts';
import { resourceKind } from '../lock/command.ts';
import type { Host } from '../time/host.ts';
import type { Channel, PublishedEvent } from '../transport/transport.ts';
import { cloudEventsOf } from './cloud-event.ts';

/** More changes than this in one turn of the event loop are not worth telling one by one. */
const changesMax = 10_000;

export class EventPublisher {
  private waiting: { readonly change: PublishedChange; readonly founding: string }[] = [];
  private published = 0;
  private dropped = 0;
  private droppedByChannel = 0;

  /** Counts that only grow: what the broker refused is known after it was published, and counts as both. */
  get counters(): { readonly eventsPublished: number; readonly eventsDropped: number } {
    this.droppedByChannel = this.channel()?.eventsDropped ?? this.droppedByChannel;
    return { eventsPublished: this.published, eventsDropped: this.dropped + this.droppedByChannel };
  }

  constructor(
    private readonly group: string,
    private readonly publish: 'none' | 'leadership' | 'all',
    private readonly channel: () => Channel | null,
    private readonly host: Pick<Host, 'afterOthers'>,
  ) {}

  add(changes: readonly PublishedChange[], founding: string): void {
    if (this.publish === 'none') return;
    for (const change of changes) {
      if (this.publish === 'leadership' && !change.change.resource.startsWith(resourceKind.election)) continue;
      if (this.waiting.length >= changesMax) this.dropped += 1;
      else if (this.waiting.push({ change, founding }) === 1) this.host.afterOthers(() => this.flush());
    }
  }

  flush(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    const events: PublishedEvent[] = [];
    for (const { change, founding } of waiting) {
      const event = cloudEventsOf(change, { group: this.group, founding });
      if (event) events.push(event);
    }
    const channel = this.channel();
    if (channel?.status !== 'connected') {
      this.dropped += events.length;
      return;
    }
    const droppedBefore = channel.eventsDropped ?? 0;
    channel.publishEvents(events);
    this.droppedByChannel = channel.eventsDropped ?? 0;
    this.published += events.length - (this.droppedByChannel - droppedBefore);
  }
}
