/** A small shell process that outlives us by a moment: when we die, however we die, it kills the servers we started and tidies up. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/**
 * It reads `add <pid>` and `drop <pid>`. The end of its input is our end, and comes even after `kill -9`, when no exit
 * handler of ours would run. It leads a process group of its own so that Ctrl-C does not take it before its work is done.
 */
const script = `
pids=
while read -r operation pid; do
  case $operation in
    add) pids="$pids $pid" ;;
    drop) rest=; for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done; pids=$rest ;;
  esac
done
for one in $pids; do kill -9 "$one" 2>/dev/null; done
sleep 0.2
exec "$@"
`;

export interface Keeper {
  add(pid: number): void;
  drop(pid: number): void;
  /** Lets it kill what is left and run its last command now; resolves when that is done. */
  finish(): Promise<void>;
}

/** `lastCommand` removes what the servers leave behind: a folder, or a compose project. */
export function startKeeper(lastCommand: readonly string[]): Keeper {
  const child: ChildProcess = spawn('/bin/sh', ['-c', script, 'sh', ...lastCommand], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const input = child.stdin;
  // A keeper that was killed by hand must not take us with it.
  input?.on('error', () => undefined);
  child.unref();
  (input as unknown as { unref?(): void } | null)?.unref?.();
  return {
    add: (pid) => input?.write(`add ${pid}\n`),
    drop: (pid) => input?.write(`drop ${pid}\n`),
    finish: () => {
      child.ref();
      input?.end();
      return ended;
    },
  };
}
