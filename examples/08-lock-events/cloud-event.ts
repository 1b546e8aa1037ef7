/** What a lock event says: CloudEvents 1.0 in JSON, the same on every broker. */

export interface CloudEvent {
  /** The same for an event that is published twice, so that a reader can drop the repeat. */
  readonly id: string;
  /** `io.quorate.lock.granted`, `….released`, `….expired`, `….waiting`; `io.quorate.leader.elected`, `….resigned`, `….lost`. */
  readonly type: string;
  /** The name of the lock or election. */
  readonly subject: string;
  readonly time: string;
  readonly data: { readonly name: string; readonly node: string; readonly token: number; readonly value: string | null };
}
