/** A method of a shipped class, exchanged for the length of one run. */

type Method = (this: unknown, ...args: readonly unknown[]) => unknown;

/** `wrong` gets the method that it stands in for. Returns what puts that one back. */
export function replaced(
  prototype: object,
  name: string,
  wrong: (original: Method) => (self: object, args: readonly unknown[]) => unknown,
): () => void {
  const original = Reflect.get(prototype, name) as Method | undefined;
  if (typeof original !== 'function') throw new Error(`There is no method ${name} to replace.`);
  const act = wrong(original);
  Reflect.set(prototype, name, function (this: object, ...args: readonly unknown[]) {
    return act(this, args);
  });
  return () => void Reflect.set(prototype, name, original);
}

export function replacedGetter(prototype: object, name: string, wrong: (this: unknown) => unknown): () => void {
  const original = Reflect.getOwnPropertyDescriptor(prototype, name);
  if (!original?.get) throw new Error(`There is no getter ${name} to replace.`);
  Object.defineProperty(prototype, name, { ...original, get: wrong });
  return () => void Object.defineProperty(prototype, name, original);
}
