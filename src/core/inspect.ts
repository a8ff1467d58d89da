const nodeInspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * Give plain data a readable `toString` and REPL line. The two functions are not enumerable: the value still clones, spreads,
 * compares and serialises as plain data. Returns the same object, frozen.
 */
export function printable<T extends object>(value: T, line: (value: T) => string): Readonly<T> {
  const hidden = { value: () => line(value), enumerable: false };
  return Object.freeze(Object.defineProperties(value, { toString: hidden, [nodeInspect]: hidden }));
}
