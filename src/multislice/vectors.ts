/** Three numbers: a position in Å, a direction, indices. */
export type Triple = readonly [number, number, number];
export const tripleOf = (f: (k: number) => number): Triple => [f(0), f(1), f(2)];
