/**
 * Lifts a deterministic machine to an RxJS operator. Decisions stay outside of operators: a Subject re-entered by its own
 * subscriber delivers out of order, a throw ends the stream, and an unshared `scan` runs twice per input.
 */
import { Observable } from 'rxjs';
import type { OperatorFunction } from 'rxjs';

/** One input, one output; no clock, chance, timer or promise inside. */
export interface Machine<Input, Output> {
  step(input: Input): Output;
}

export interface MachineOptions<Input> {
  /** Told of each input that the machine threw at. The stream goes on with the next one. */
  readonly onFault?: (error: unknown, input: Input) => void;
}

/**
 * `inputs$.pipe(machine(() => new LockMachine()))`: each subscription has a machine of its own. An input that arrives while one is
 * being stepped, or while its output is being delivered, waits for its turn, so that outputs keep the order of the inputs.
 */
export function machine<Input, Output>(
  create: () => Machine<Input, Output>,
  { onFault }: MachineOptions<Input> = {},
): OperatorFunction<Input, Output> {
  return (inputs$) =>
    new Observable<Output>((subscriber) => {
      const stepped = create();
      const waiting: Input[] = [];
      let isStepping = false;
      let isComplete = false;

      const stepOne = (input: Input): void => {
        let output: Output;
        try {
          output = stepped.step(input);
        } catch (error) {
          onFault?.(error, input);
          return;
        }
        subscriber.next(output);
      };

      return inputs$.subscribe({
        next: (input) => {
          waiting.push(input);
          if (isStepping) return;
          isStepping = true;
          try {
            while (waiting.length > 0 && !subscriber.closed) for (const next of waiting.splice(0)) stepOne(next);
          } finally {
            isStepping = false;
          }
          if (isComplete) subscriber.complete();
        },
        error: (error) => subscriber.error(error),
        // The source may complete from within a subscriber, while inputs still wait.
        complete: () => {
          isComplete = true;
          if (!isStepping) subscriber.complete();
        },
      });
    });
}
