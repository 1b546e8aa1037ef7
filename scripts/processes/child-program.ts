/** The child's side: it answers what its parent asks, and never outlives it. */
import type { ChildMessage, Commands, RequestMessage } from './protocol.ts';

/** Serves until the parent hangs up or dies; `onEnd` then has its chance to finish files and connections. */
export function serveCommands(commands: Commands, onEnd: () => Promise<void> = () => Promise.resolve()): void {
  process.on('message', (message: unknown) => {
    const { id, name, argument } = message as RequestMessage;
    void answer(commands, name, argument).then(
      (value) => tell({ type: 'answer', id, value }),
      (error: unknown) => tell({ type: 'failure', id, failure: failureOf(error) }),
    );
  });
  process.once('disconnect', () => {
    const leave = (): void => process.exit();
    onEnd().then(leave, leave);
  });
  // Ctrl-C reaches the whole process group: the parent decides what happens then.
  process.on('SIGINT', () => undefined);
  tell({ type: 'ready' });
}

/** Resolves once the notice is out of this process: it will be read even if the process is killed the next moment. */
export function notice(given: object): Promise<void> {
  return new Promise((resolve) => tell({ type: 'notice', notice: given }, resolve));
}

async function answer(commands: Commands, name: string, argument: unknown): Promise<unknown> {
  const command = commands[name];
  if (!command) throw new Error(`no command is called ${name}`);
  return command(argument as never);
}

function tell(message: ChildMessage, onSent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, onSent);
}

function failureOf(error: unknown): { message: string; code: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { message: error.message, code };
}
