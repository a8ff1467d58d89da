/** Whether a `.pts` keyword opens a block that ends with `end` + keyword: never, always, or only where such a line follows. */
export type PtsBlockKind = "none" | "always" | "optional";

const single =
  "keepautotasks lambda aperpixel geometry detector noiseparameters phi omega delta pixelsize bin reflectionsize dstarmax dstarmaxps " +
  "dstarmin dstarminps centerradius avoidicerings peaksearchmode center centermode i/sigma moreaveprofiles peakprofileparams " +
  "peakprofilesectors background backgroundmethod peakanalysis minclusterpoints indexingmode indexingparameters maxindex " +
  "cellrefinemode cellrefineparameters referencecell intensitymethod adjustreflbox resshellfraction saturationlimit skipsaturated " +
  "minrotaxisdist minreflpartiality rcshape integrationmode integrationparams intkinematical intdynamical dynamicalscales " +
  "dynamicalerrormodel errormodel outliers refinecamelparams orientationparams simulationpower interpolationparams distcenterasoffset " +
  "distortunits mapformat reconstructionparams removebackground serialed virtualframes";
const blocks = "autotask badpixels icerings mask distortions distortionskeys reconstruction cifentries imagelist celllist cellitem";

let kinds: Map<string, PtsBlockKind> | undefined;
function table(): Map<string, PtsBlockKind> {
  kinds ??= new Map<string, PtsBlockKind>([
    ...single.split(" ").map((k) => [k, "none"] as const),
    ...blocks.split(" ").map((k) => [k, "always"] as const),
    ["beamstop", "optional"],
  ]);
  return kinds;
}
/** Known PETS2 keywords, lower case (PETS2 ignores case). */
export function ptsKeywords(): readonly string[] {
  return [...table().keys()];
}
/** How a keyword opens a block; undefined for a keyword that is not known. */
export function ptsBlockKind(keyword: string): PtsBlockKind | undefined {
  return table().get(keyword.toLowerCase());
}
