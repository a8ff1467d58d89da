/** Bytes to format-shaped records, and back. */

export type { ComputemXyz, XyzColumn, XyzFrame } from "./atoms-xyz.js";
export { parseAtomsXyz, parseComputemXyz, writeAtomsXyz } from "./atoms-xyz.js";
export type { BloHeader, BloWriteOptions } from "./blo.js";
export { bloBrightField, bloFrames, writeBlo } from "./blo.js";
export type { Cursor } from "./bytes.js";
export { cursor, declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
export type { NumberType } from "./bytes-numbers.js";
export { bytesPer, decodeNumbers, littleEndianBytes, moduli, numberTypeOf } from "./bytes-numbers.js";
export type { CbfWriteOptions } from "./cbf.js";
export { cbfFrames, decodeByteOffsetInto, encodeByteOffset, parseMiniCbf, writeCbf } from "./cbf.js";
export type {
  CifBlock,
  CifComment,
  CifDocument,
  CifEntry,
  CifFrame,
  CifItem,
  CifList,
  CifLoop,
  CifMissing,
  CifTable,
  CifValue,
} from "./cif.js";
export { cifComment, cifInapplicable, cifItem, cifLoop, cifUnknown, isCifMissing, isCifTable } from "./cif.js";
export {
  cifBlock,
  cifColumn,
  cifFrames,
  cifIntegers,
  cifLoopOf,
  cifMeasured,
  cifMeasuredColumn,
  cifNumber,
  cifNumbers,
  cifText,
  cifTexts,
  cifValue,
  hasCifValue,
  withCifItem,
} from "./cif-access.js";
export type { CifDefinition, CifDictionary } from "./cif-dictionary.js";
export { checkCif, cifDefinition, parseCifDictionary } from "./cif-dictionary.js";
export type { EdCifContents, EdCifRecord } from "./cif-ed.js";
export { edCifDocument, edCifItems } from "./cif-ed.js";
export type { CifParseOptions } from "./cif-parse.js";
export { parseCif } from "./cif-parse.js";
export type { CifReflections } from "./cif-reflections.js";
export { cifOneLine, cifReflections } from "./cif-reflections.js";
export type { CifWriteOptions } from "./cif-write.js";
export { cifValueText, writeCif } from "./cif-write.js";
export type { FrameFormat, OpenOptions } from "./detect.js";
export { detectFormat, imageFormats, openFrames } from "./detect.js";
export type { DialsBeam, DialsCrystal, DialsExperiment, DialsGoniometer, DialsPanel, DialsScan } from "./dials/expt.js";
export { parseExpt } from "./dials/expt.js";
export type { ReflColumn, ReflOptions, ReflTable } from "./dials/refl.js";
export { dialsFlags, parseRefl, reflHasFlag, reflNumbers } from "./dials/refl.js";
export type { Shoebox } from "./dials/shoebox.js";
export { reflShoeboxes } from "./dials/shoebox.js";
export type { DmAxis, DmFile, DmImage } from "./dm.js";
export { dmFrames, readDm } from "./dm.js";
export type { DmArray, DmGroup, DmTag } from "./dm-tags.js";
export { dmTag, isDmArray, isDmGroup, readDmTags } from "./dm-tags.js";
export type { Emi } from "./emi.js";
export { parseEmi } from "./emi.js";
export type { EmpadOptions, EmpadXml } from "./empad.js";
export { empadFrames, parseEmpadXml } from "./empad.js";
export type { FrameFacts, FrameSource, Metadata } from "./frames.js";
export { checkFrame, framesOf, naturalCompare, toFloat32 } from "./frames.js";
export type { HklList } from "./hkl.js";
export { parseHklList, writeHklList } from "./hkl.js";
export type { Wrapping } from "./inflate.js";
export { deflate, inflate } from "./inflate.js";
export type { DyngoSettings } from "./jana/dyngo.js";
export { dyngoSettings } from "./jana/dyngo.js";
export type { JanaProject } from "./jana/embedded.js";
export { janaProject } from "./jana/embedded.js";
export type { JanaLine } from "./jana/fields.js";
export type { M40, M40Atom } from "./jana/m40.js";
export { parseM40, writeM40 } from "./jana/m40.js";
export type { M42, M42Command, M42Zone, M42ZoneSu } from "./jana/m42.js";
export { m42Setting, parseM42, withM42Setting, writeM42 } from "./jana/m42.js";
export type { M50, M50AtomType, M50Block } from "./jana/m50.js";
export { parseM50, withM50Keyword, writeM50 } from "./jana/m50.js";
export type { M90 } from "./jana/m90.js";
export { m90Setting, m90Wavelength, parseM90, writeM90 } from "./jana/m90.js";
export type { MatArray, MatValue } from "./mat.js";
export { readMat } from "./mat.js";
export type { InstrumentMetadata } from "./metadata-checks.js";
export { checkMetadata } from "./metadata-checks.js";
export type { MibOptions } from "./mib.js";
export { mibFrames } from "./mib.js";
export type { MibHeader } from "./mib-header.js";
export { merlinScanShape, parseMerlinHdr, parseMibHeader } from "./mib-header.js";
export type { MrcHeader, MrcOptions, MrcWriteOptions } from "./mrc.js";
export { mrcFrames, parseMrcHeader, writeMrc } from "./mrc.js";
export type { MsgpackExtension, MsgpackValue } from "./msgpack.js";
export { decodeMsgpack } from "./msgpack.js";
export type { Mtz, MtzColumn, MtzDataset } from "./mtz.js";
export { mtzColumn, parseMtz } from "./mtz.js";
export { fromNdarray, type NdarrayLike, toNdarray } from "./ndarray.js";
export type { NdValues } from "./npy.js";
export { npyFrames, readNpy, writeNpy } from "./npy.js";
export { npzNames, readNpz, writeNpz } from "./npz.js";
export type { Measured } from "./number.js";
export { formatSu, parseInteger, parseNumber, parseSu } from "./number.js";
export type { PetsCell } from "./pets/celllist.js";
export { parseCelllist, petsCellLines, writeCelllist } from "./pets/celllist.js";
export type { CifPets, CifPetsWriteOptions, PetsReflections, PetsZones } from "./pets/cif-pets.js";
export { parseCifPets, writeCifPets } from "./pets/cif-pets.js";
export type { PetsCentres, PetsClusters, PetsFrameStats, PetsHkl, PetsMaxima, PetsPeaks } from "./pets/lists.js";
export {
  parseCenloc,
  parseClust,
  parseCor,
  parseFramestats,
  parsePetsHkl,
  parseRpl,
  parseXyz,
  writeCenloc,
  writeClust,
  writeCor,
  writeFramestats,
  writePetsHkl,
  writeRpl,
  writeXyz,
} from "./pets/lists.js";
export type { PetsDetails, PetsVirtualFrames } from "./pets/measurement-details.js";
export { noPetsDetails, parsePetsDetails, petsDetailsText } from "./pets/measurement-details.js";
export type { Pts } from "./pets/pts.js";
export { parsePts } from "./pets/pts.js";
export type { PtsDocument, PtsEntry } from "./pets/pts-document.js";
export { emptyPts, parsePtsDocument, ptsEntry, withPtsBlock, withPtsKeyword, writePts } from "./pets/pts-document.js";
export type { PtsImage, PtsImages } from "./pets/pts-images.js";
export { ptsImagePath, ptsImages, ptsImagesOf, withPtsImages } from "./pets/pts-images.js";
export { ptsBlockKind, ptsKeywords } from "./pets/pts-keywords.js";
export type { PetsResolution, PetsRockingCurves } from "./pets/rocking.js";
export { parseCml, parseResolution, writeCml, writeResolution } from "./pets/rocking.js";
export type { RawOptions } from "./raw.js";
export { rawFrames } from "./raw.js";
export type { SerAxis, SerDimension, SerHeader } from "./ser.js";
export { readSerHeader, serFrames } from "./ser.js";
export type { Hklf, HklfWriteOptions } from "./shelx/hklf.js";
export { parseHklf, writeHklf } from "./shelx/hklf.js";
export type { ShelxAtom, ShelxFile, ShelxInput, ShelxParameter, ShelxScatterer } from "./shelx/ins.js";
export { parseShelx, shelxParameter, writeShelx } from "./shelx/ins.js";
export type { ShelxDocument, ShelxInstruction } from "./shelx/instructions.js";
export { parseShelxDocument, shelxLine, withShelxInstruction, writeShelxDocument } from "./shelx/instructions.js";
export type { SmvHeader, SmvWriteOptions } from "./smv.js";
export { parseSmvHeader, smvFrames, writeSmv } from "./smv.js";
export type { ByteInput, ByteSource, SizeLimit } from "./source.js";
export { blobSource, bytesSource, DEFAULT_MAX_BYTES, readAll, readUpTo, siblings, sliceSource, toSource } from "./source.js";
export { type ArrayStream, type ArrayStreamOptions, type ByteSink, hdf5Stream, npyStream, zarrStream } from "./stream.js";
export type { Parsed, TextInput } from "./text.js";
export { decodeText } from "./text.js";
export type { ColumnSpec, TableOf, TableOptions } from "./text-table.js";
export { parseTable, writeTable } from "./text-table.js";
export { tiffFrames } from "./tiff.js";
export type { TiffWriteOptions } from "./tiff-write.js";
export { writeTiff } from "./tiff-write.js";
export type { YamlValue } from "./tiff-yaml.js";
export { parseHeaderYaml } from "./tiff-yaml.js";
export type { Mdoc, MdocSection } from "./tilt-angles.js";
export { parseAngles, parseMdoc } from "./tilt-angles.js";
export type { TvipsHeader } from "./tvips.js";
export { tvipsFrames } from "./tvips.js";
export type { XdsGeometry, XdsReflections } from "./xds/hkl.js";
export { parseXdsHkl, parseXparm, xdsHeader } from "./xds/hkl.js";
export type { XdsEntry, XdsInp } from "./xds/inp.js";
export { parseXdsInp, withXdsValue, writeXdsInp, xdsInpOf, xdsNumbers, xdsValues } from "./xds/inp.js";
export type { ZipEntry } from "./zip.js";
export { crc32, readZipEntry, writeZip, zipEntries, zipSources } from "./zip.js";
