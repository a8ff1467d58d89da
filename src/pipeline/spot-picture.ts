import type { Image, TypedArray } from "../core/image.js";
import type { FrameSpots } from "../integration/spot-series.js";
import { imagePng, type Overlay } from "../render/index.js";

/** A frame with its spots in circles, those on masked or saturated pixels in another colour, and the centre: bytes of a PNG. */
export function spotPicture(
  image: Image<TypedArray>,
  { spots, centre }: Pick<FrameSpots, "spots" | "centre">,
  diameter: number,
): Uint8Array {
  const circles = (flag: number, color: string, label: string): Overlay => {
    const rows = [...spots.flagged.keys()].filter((i) => spots.flagged[i] === flag);
    return { kind: "spots", x: rows.map((i) => spots.x[i]!), y: rows.map((i) => spots.y[i]!), radius: diameter / 2 + 2, color, label };
  };
  return imagePng(image, {
    scale: { kind: "sqrt", percentiles: [1, 99.8] },
    legend: true,
    overlays: [
      circles(0, "#00ff88", "spots"),
      ...(spots.flagged.some((f) => f !== 0) ? [circles(1, "#ff5555", "flagged")] : []),
      { kind: "spots", x: [centre.x], y: [centre.y], shape: "plus", radius: 12, color: "#ffcc00", label: "centre" },
    ],
  });
}
