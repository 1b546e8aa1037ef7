/** `fence()` as an RxJS operator: what is older than the newest token seen for its resource does not go on. */
import { defer, filter } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { TokenFence } from '../partition/token-fence.ts';
import type { FenceVerdict, TokenFenceOptions } from '../partition/token-fence.ts';
import type { TokenStamp } from '../partition/token-stamp.ts';

/** Where a message says what it belongs to: by two functions, or by one, as `tokenOfKafka` and `tokenOfNats` are. */
export type StampOf<Message> =
  | {
      readonly resource: (message: Message) => string | undefined;
      readonly token: (message: Message) => number | undefined;
      readonly stamp?: never;
    }
  | { readonly stamp: (message: Message) => TokenStamp | undefined; readonly resource?: never; readonly token?: never };

export interface DroppedByFence {
  readonly verdict: Exclude<FenceVerdict, 'fresh'>;
  readonly resource: string | undefined;
  readonly token: number | undefined;
  /** The newest token seen for the resource, where it is remembered. */
  readonly newest: number | undefined;
  /** What `resource`, `token` or `stamp` threw at this message, which is unfenced then. */
  readonly error?: unknown;
}

export type FenceOptions<Message> = TokenFenceOptions &
  StampOf<Message> & {
    /** Told of each message that does not go on. What it throws ends the stream. */
    readonly onStale?: (message: Message, dropped: DroppedByFence) => void;
    /**
     * A memory made outside, in place of `resourcesMax`, `onUnfenced` and `seed`: it lasts when the stream is subscribed to again, its
     * counts can be read, and it can be kept.
     */
    readonly memory?: TokenFence;
  };

/**
 * `messages$.pipe(fence({ stamp: tokenOfKafka, onStale }))`. Each subscription begins with an empty memory, or with `seed`; give
 * `memory` where a `retry` or a second subscription must not let in what the first refused. One resource has one order: see
 * `tokenFence`, which is the same as a plain function.
 *
 * @throws QuorateError `INVALID_OPTIONS`
 */
export function fence<Message>(options: FenceOptions<Message>): MonoTypeOperatorFunction<Message> {
  const { onStale, memory } = options;
  const remember = (): TokenFence => memory ?? new TokenFence(options);
  // Wrong options are refused here, where they were written, and not to whoever subscribes.
  remember();
  return (messages$) =>
    defer(() => {
      const remembered = remember();
      return messages$.pipe(filter((message) => goesOn(message, remembered)));
    });

  function goesOn(message: Message, remembered: TokenFence): boolean {
    const { resource, token, error } = readBy(options, message);
    const verdict = remembered.judge(resource, token);
    if (remembered.passes(verdict)) return true;
    if (verdict !== 'fresh') {
      const newest = resource === undefined ? undefined : remembered.newestOf(resource);
      onStale?.(message, { verdict, resource, token, newest, error });
    }
    return false;
  }
}

interface Read {
  readonly resource: string | undefined;
  readonly token: number | undefined;
  readonly error?: unknown;
}

/** One message that cannot be read must not end the stream for those after it. */
function readBy<Message>(by: StampOf<Message>, message: Message): Read {
  try {
    if (by.stamp === undefined) return { resource: by.resource(message), token: by.token(message) };
    const { resource, token } = by.stamp(message) ?? {};
    return { resource, token };
  } catch (error) {
    return { resource: undefined, token: undefined, error };
  }
}
