import type { Map3 } from "../core/frames.js";

/** abTEM's axes from our lab: its beam travels along +z, so a half turn about x. */
export const abtemFromLab: Map3 = [1, 0, 0, 0, -1, 0, 0, 0, -1];

/** py4DSTEM's axes from our lab: its x runs down the rows of an array and its y along them; z is the same. */
export const py4dstemFromLab: Map3 = [0, -1, 0, 1, 0, 0, 0, 0, 1];
