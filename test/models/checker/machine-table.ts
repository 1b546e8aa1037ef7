/**
 * Machines as small numbers. Different states of a world share most of their machines, so each machine is kept once, and what one
 * input makes of it is worked out once: the real `step` runs on a copy, and its outcome is remembered.
 */
import { copyOf, textOf } from './machine-image.ts';

export interface Stepped<Output> {
  readonly id: number;
  readonly output: Output;
}

export class MachineTable<Machine extends object, Output> {
  private readonly ids = new Map<string, number>();
  private readonly machines: Machine[] = [];
  private readonly outcomes: Map<string, Stepped<Output>>[] = [];

  /** The number of this machine; it must not be changed any more. */
  intern(machine: Machine): number {
    const text = textOf(machine);
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const id = this.machines.length;
    this.ids.set(text, id);
    this.machines.push(machine);
    this.outcomes.push(new Map());
    return id;
  }

  /** To look at, not to step. */
  at(id: number): Machine {
    const machine = this.machines[id];
    if (!machine) throw new Error(`There is no machine ${id}.`);
    return machine;
  }

  /** What `act` makes of the machine. `input` names the act: the same name must mean the same act. */
  step(id: number, input: string, act: (machine: Machine) => Output): Stepped<Output> {
    const known = this.outcomes[id]?.get(input);
    if (known) return known;
    const machine = copyOf(this.at(id));
    const output = act(machine);
    const stepped = { id: this.intern(machine), output };
    this.outcomes[id]?.set(input, stepped);
    return stepped;
  }
}
