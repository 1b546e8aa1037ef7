/** What an owned consumer tells of itself: things that happen in a healthy system, and failures that it deals with alone. */
import type { QuorateError } from '@quorate/core/adapter';
import type { GroupMember } from './consumer-driver.ts';

interface At {
  readonly topic: string;
  readonly partition: number;
}

export type OwnedConsumerEvent =
  /**
   * Handling begins at `offset`: the group's commit, the last owner's note, an end of the log, or where this process had got to. `grown`:
   * at the first message of a partition that the topic has grown by since the group began.
   */
  | (At & {
      readonly type: 'started';
      readonly token: number;
      readonly offset: string;
      readonly from: 'commit' | 'note' | 'earliest' | 'latest' | 'grown' | 'resolved' | 'seek';
    })
  /** No handler of the partition runs any more, and `offset` is where the next owner begins. */
  | (At & { readonly type: 'finished'; readonly token: number; readonly offset: string; readonly isCommitted: boolean })
  /** A commit was not made. What is not committed is told to the next owner by the note, or handled again after a crash. */
  | (At & { readonly type: 'commitFailed'; readonly error: unknown })
  /** The broker could not be asked, or refused. A partition is named where the trouble is with it alone. */
  | (Partial<At> & { readonly type: 'fetchFailed'; readonly error: unknown })
  /** The position did not exist any more, or not yet: messages were deleted, or the topic was made anew. */
  | (At & { readonly type: 'relocated'; readonly from: string; readonly to: string })
  | (At & { readonly type: 'handlerFailed'; readonly offset: string; readonly failures: number; readonly error: unknown })
  | (At & { readonly type: 'deadLettered'; readonly offset: string; readonly failures: number })
  /** Members of a consumer group of the same id: nothing is handled until they are gone. `error.code` is `GROUP_HAS_MEMBERS`. */
  | { readonly type: 'groupHasMembers'; readonly error: QuorateError; readonly members: readonly GroupMember[] }
  | { readonly type: 'groupFree' }
  /** The topics have more partitions than the set; the set is enlarged. */
  | { readonly type: 'grown'; readonly from: number; readonly to: number }
  /** The topics do not have the same number of partitions: those that the set has not taken up yet wait until all topics have them. */
  | { readonly type: 'countsDiffer'; readonly counts: Readonly<Record<string, number>> }
  | { readonly type: 'resizeFailed'; readonly error: unknown }
  /** Taking part has ended without `stop`. */
  | { readonly type: 'crashed'; readonly error: unknown };

export type OnConsumerEvent = (event: OwnedConsumerEvent) => void;
