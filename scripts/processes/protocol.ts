/** What a parent and a child process of ours say to each other over Node's IPC channel: requests, their answers, and notices. */

/** What a child can be asked: each name with the one argument and the answer. Arguments and answers survive structured cloning. */
export type Commands = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

export type ArgumentOf<C extends Commands, K extends keyof C> = Parameters<C[K]>[0];
export type AnswerOf<C extends Commands, K extends keyof C> = Awaited<ReturnType<C[K]>>;

export interface RequestMessage {
  readonly type: 'request';
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** An error as it crosses: class and stack stay behind, the code is what is tested. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
}

export type ChildMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'notice'; readonly notice: unknown };

/** The machine's monotonic clock in milliseconds: all processes of a machine read the same one. */
export function machineTimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
