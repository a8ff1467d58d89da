import { fail } from "../../core/errors.js";
import type { Hdf5WriteDataset, Hdf5WriteGroup, Hdf5WriteValue } from "./write.js";

/** A 4D-STEM scan for an EMD 1.0 file: py4DSTEM, HyperSpy (RosettaSciIO) and this library read it. */
export interface EmdDatacube {
  /** Rows and columns of the scan, rows and columns of a pattern. */
  readonly shape: readonly [sy: number, sx: number, ky: number, kx: number];
  readonly type: "f32" | "u8" | "u16" | "u32";
  /** Steps of the scan along rows (first) and columns, Å. */
  readonly scanStep: readonly [number, number];
  /** Reciprocal pixel along rows and columns of a pattern, Å⁻¹ (1/d). */
  readonly pixel: readonly [number, number];
  readonly voltageKv?: number | undefined;
  /** Convergence semi-angle, mrad. */
  readonly semiangleMrad?: number | undefined;
  /** Anything else worth keeping; numbers and text. */
  readonly metadata?: Readonly<Record<string, string | number>> | undefined;
  readonly program?: string | undefined;
}
/** Path of the dataset that {@link emdTree} promises. */
export const emdDataPath = "datacube_root/datacube/data";

/**
 * The tree of an EMD 1.0 file with one datacube (the layout of emdfile 0.0.16), its values still to be written: pass it to `hdf5Stream`.
 * py4DSTEM calls the rows x. Pixels that are not square keep both sizes in the dimension vectors; `Q_pixel_size` holds the one along the columns.
 * @throws bad-shape
 */
export function emdTree(c: EmdDatacube): Hdf5WriteGroup {
  if (c.shape.length !== 4 || !c.shape.every((s) => Number.isInteger(s) && s >= 1))
    fail("bad-shape", { shape: c.shape }, "a datacube has four axes [sy, sx, ky, kx]");
  const group = (members: Hdf5WriteGroup["members"], attributes: Readonly<Record<string, Hdf5WriteValue>>): Hdf5WriteGroup => ({
    kind: "group",
    members,
    attributes,
  });
  const dataset = (
    data: NonNullable<Hdf5WriteDataset["data"]>,
    attributes: Readonly<Record<string, Hdf5WriteValue>>,
  ): Hdf5WriteDataset => ({ kind: "dataset", data, attributes });
  const steps = [...c.scanStep, ...c.pixel],
    units = ["A", "A", "A^-1", "A^-1"],
    names = ["Rx", "Ry", "Qx", "Qy"];
  // The direct beam is the origin of the reciprocal axes.
  const axis = (k: number): Float64Array =>
    Float64Array.from({ length: c.shape[k]! }, (_, i) => (i - (k > 1 ? c.shape[k]! >> 1 : 0)) * steps[k]!);
  const number = (v: number): Hdf5WriteDataset => dataset(v, { type: "number" });
  const text = (v: string): Hdf5WriteDataset => dataset(v, { type: "string" });
  const entries = (o: Readonly<Record<string, string | number>>): Record<string, Hdf5WriteDataset> =>
    Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === "number" ? number(v) : text(v)]));
  const calibration = entries({
    Q_pixel_size: c.pixel[1],
    Q_pixel_units: "A^-1",
    R_pixel_size: c.scanStep[1],
    R_pixel_units: "A",
    ...(c.semiangleMrad === undefined ? {} : { convergence_semiangle_mrad: c.semiangleMrad }),
    _root_treepath: "",
  });
  const root = group(
    {
      datacube: group(
        {
          data: { kind: "dataset", type: c.type, shape: c.shape, attributes: { units: "fraction of the beam" } },
          ...Object.fromEntries(names.map((name, k) => [`dim${k}`, dataset(axis(k), { name, units: units[k]! })])),
        },
        { emd_group_type: "array", python_class: "DataCube" },
      ),
      metadatabundle: group(
        {
          calibration: group(calibration, { emd_group_type: "metadata", python_class: "Calibration" }),
          ...(c.metadata || c.voltageKv
            ? {
                simulation: group(entries({ ...(c.voltageKv ? { voltage_kV: c.voltageKv } : {}), ...c.metadata }), {
                  emd_group_type: "metadata",
                  python_class: "Metadata",
                }),
              }
            : {}),
        },
        { emd_group_type: "metadatabundle" },
      ),
    },
    { emd_group_type: "root", python_class: "Root" },
  );
  return group(
    { datacube_root: root },
    {
      emd_group_type: "file",
      version_major: 1n,
      version_minor: 0n,
      authoring_program: c.program ?? "ewald",
      authoring_user: "",
      UUID: "",
    },
  );
}
