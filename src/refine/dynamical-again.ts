import type { ThicknessModel } from "../bloch/thickness.js";
import { compose, inverse } from "../core/frames.js";
import { degrees } from "../geometry/rotation.js";
import { rotationAngle } from "../geometry/rotation-forms.js";
import type { Structure } from "../geometry/structure.js";
import { type StartOptions, scanThickness, startDynamical } from "./dynamical-scan.js";
import type { DynamicalData, DynamicalResult } from "./dynamical-types.js";

/** A frame turned by more than this, degrees, may have followed a structure that was wrong; so may all, where a tenth of them did. */
const FAR = 0.2;
const PART = 0.1;

/** Why a refinement might have gone astray at its start, when the structure was not good enough to tell shapes and orientations apart. */
export interface SecondLook {
  /** With the orientations as refined: the shape looks different now. The data to go on with. */
  readonly refined?: DynamicalData | undefined;
  /** From the orientations as given: another shape, or many frames were turned far. The data to go on with. */
  readonly given?: DynamicalData | undefined;
}

const kindOf = (m: ThicknessModel): string => m.kind;

/**
 * Looks at shape, thickness and orientations again with the refined structure. A wrong start leaves its traces in them: frames that turned
 * after a wrong structure stay in minima of their own, and carry the shape with them.
 * @param given - the frames with the orientations of the file, and the model to start from
 */
export async function lookAgain(result: DynamicalResult, given: DynamicalData, options: StartOptions): Promise<SecondLook> {
  const s: Structure = result.structure,
    now = kindOf(result.models[0]!.thicknessModel);
  const refined: DynamicalData = { ...given, model: { ...given.model, ...result.models[0]! }, frames: result.frames.map((f) => f.frame) };
  const shapes = async (d: DynamicalData): Promise<DynamicalData | undefined> => {
    if (options.models?.length === 1) return undefined;
    const { model: thicknessModel, thickness, tiltCorrection } = await scanThickness(s, d, { ...options, near: options.thickness });
    return kindOf(thicknessModel) === now ? undefined : { ...d, model: { ...d.model, thicknessModel, thickness, tiltCorrection } };
  };
  const turned = result.frames.filter((f, i) => degrees(rotationAngle(compose(f.frame.ub, inverse(given.frames[i]!.ub)))) > FAR).length;
  const doubt = turned > PART * result.frames.length || (options.orientations !== false && (await shapes(given)) !== undefined);
  return {
    refined: await shapes(refined),
    given: doubt ? (await startDynamical(s, given, options)).data : undefined,
  };
}
