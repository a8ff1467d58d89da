import { frameCrystal } from "../bloch/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { dmFrames } from "../io/dm.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { readData } from "./data.js";

/** U of B = 8π²U, Å². */
const fromB = (b: number): number => b / (8 * Math.PI ** 2);

/** LiNbO3 at 200 kV with thermal absorption; the structure that came with the measured patterns (README of the data: R3c, positions and B). */
export function lithiumNiobate(gMax: number) {
  const electrons = beam(200);
  const crystal = structure(unitCell(5.13761, 5.13761, 13.8497, 90, 90, 120), spaceGroup("R 3 c:H"), [
    atom({ element: "Nb", xyz: [0, 0, 0], uIso: fromB(0.278) }),
    atom({ element: "Li", xyz: [0, 0, 0.2916], uIso: fromB(0.1) }),
    atom({ element: "O", xyz: [0.3976, 0.3744, 0.2297], uIso: fromB(0.555) }),
  ]);
  return frameCrystal(crystal, electrons, gMax, { absorption: { kind: "factors", source: thomasAbsorptive(electrons) } });
}

/** Reflections of the measured digital LACBED patterns in the data. */
export const niobatePatterns = [
  [0, 0, 0],
  [0, 0, 3],
  [0, 0, 6],
  [0, 0, 9],
  [0, 0, -3],
  [0, 0, -6],
  [1, 1, 0],
  [1, 1, 3],
  [1, 1, 6],
  [1, 1, -3],
  [2, 2, 0],
  [2, 2, 3],
  [-1, -1, 0],
] as const;

/** Measured patterns averaged to `pixels` across, shape [n, pixels, pixels]. Columns run along 1 1 0, rows along 0 0 1. */
export async function measuredNiobate(pixels: number): Promise<Float64Array> {
  const area = pixels * pixels,
    out = new Float64Array(niobatePatterns.length * area);
  for (const [i, h] of niobatePatterns.entries()) {
    const name = h.map((x) => `${x < 0 ? "-" : "+"}${Math.abs(x)}`).join("");
    const frames = await dmFrames(readData("3ded", "lacbed_dm3", "LiNbO3", `LiNbO3_${name}.dm3`), { image: 0 });
    const { data } = await frames.read(0),
      [, ny, nx] = frames.shape as readonly [number, number, number];
    const count = new Float64Array(area);
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const at = Math.floor((y * pixels) / ny) * pixels + Math.floor((x * pixels) / nx);
        out[i * area + at]! += Number(data[y * nx + x]);
        count[at]!++;
      }
    for (let k = 0; k < area; k++) out[i * area + k]! /= count[k]!;
  }
  return out;
}
