export { type CalibratedModel, calibrate } from './calibration/calibrate.js';
export type { CalibrationData, ExampleSource } from './calibration/examples.js';
export type { CalibrateOptions } from './calibration/options.js';
export type { Quantity } from './calibration/quantity.js';
export type {
  CalibratedLayer,
  CalibrateReport,
  Calibration,
  CalibrationNotice,
  Spread,
  StatisticReport,
} from './calibration/report.js';
export * from './core.js';
export type { FormatName, Quantization } from './formats/destination.js';
export type { FormatInput, FormatOptions } from './formats/format.js';
export { type WriteModelOptions, writeModel } from './formats/write_model.js';
export { type LoadOptions, load } from './load.js';
export type { Comparison, Tolerance } from './proof/compare.js';
export type { LayerReport, Proof, ProofName, SkipReason, VerifyReport } from './proof/report.js';
export type { Unrunnable } from './proof/runnable_part.js';
export type { GraphInput, SampleOptions } from './proof/samples.js';
export type { VerifiedValues } from './proof/verified_values.js';
export { type VerifyOptions, verify } from './proof/verify.js';
export { runGraph } from './run/run.js';
export { type NumberData, type TensorValue, type TensorValues, tensorValue } from './run/value.js';
export type { WriteOptions, WrittenBytes, WrittenFile } from './writers/encoded.js';
export { type GraphFormat, type WritableGraph, writeGraph } from './writers/graph_file.js';
