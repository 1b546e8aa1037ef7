/** What the demo's director and its threads say to each other. */
export interface ThreadOptions {
  readonly group: string;
  readonly node: string;
  readonly voters: readonly string[];
  readonly timing: { readonly heartbeatMs: number; readonly electionTimeoutMs: number };
  readonly ttlMs: number;
  /** Of `Lateness`, and which number there is this thread's. */
  readonly lateness: SharedArrayBuffer;
  readonly place: number;
}

export type ToThread = { readonly type: 'work'; readonly rounds: number } | { readonly type: 'hold' };

export type FromThread =
  | { readonly type: 'joined' | 'role'; readonly node: string; readonly leads: boolean }
  | { readonly type: 'elected'; readonly node: string; readonly token: number }
  | { readonly type: 'granted' | 'released'; readonly node: string; readonly token: number; readonly atNs: bigint }
  /** `late`: it travels a slow line, and its holder is gone before it arrives. */
  | { readonly type: 'write'; readonly node: string; readonly token: number; readonly late: boolean }
  | { readonly type: 'done'; readonly node: string }
  | { readonly type: 'failed'; readonly node: string; readonly error: string };
