/** Render: images, plots and reports as PNG, SVG and HTML, without a DOM. */

export { formatSu } from "../io/number.js";
export { type AtomsPage, atomsHtml } from "./atoms-page.js";
export { dataUri, encodeBase64 } from "./base64.js";
export { type Colormap, type ColormapName, colorAt, colormap, colormapNames, palette } from "./colormap.js";
export { figureSvg, type HeatMap, heatMapSvg } from "./figure.js";
export { type ImageStyle, imagePng, renderImage } from "./image.js";
export { imageSvg } from "./image-svg.js";
export { type Levels, levels, percentiles, type Scale } from "./levels.js";
export type { Overlay, ScaleBar, SpotShape, Stroke } from "./overlay.js";
export { type Axis, type Plot, plotSvg } from "./plot.js";
export type { Mark, PointShape } from "./plot-marks.js";
export { encodePng, type PngOptions, type PngPixels } from "./png.js";
export { type PointCloud, pointCloudSvg } from "./projection.js";
export {
  drawCircle,
  drawLine,
  drawText,
  fillPolygon,
  fillRect,
  pasteRaster,
  type Raster,
  raster,
  rasterPng,
  type TextStyle,
} from "./raster.js";
export { type Block, type Picture, type Report, reportHtml } from "./report.js";
export { type Cell, cellText } from "./report-table.js";
export { element, escapeText, type Markup, svgDocument } from "./svg.js";
export { logTicks, niceTicks, type Ticks } from "./ticks.js";
export { type ZonePlot, zonePlotSvg } from "./zone-plot.js";
