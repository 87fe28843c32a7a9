import { attr, attrBool, attrType } from '../../../graph/attrs.js';
import { DataType, isFloat } from '../../../graph/dtype.js';
import type { TensorRef } from '../../../graph/node.js';
import type { Site } from './site.js';

const FLOAT_T = { T: attr.type(DataType.DT_FLOAT) };

/** TensorFlow.js rounds quotients of integers down. */
export function divideTowardsZero(site: Site): void {
  if (isFloat(site.type)) {
    if (site.node.op === 'Div') return;
    throw site.refuse('it truncates floating-point numbers');
  }
  const quotient = site.add('RealDiv', [asFloat(site, site.input(0)), asFloat(site, site.input(1))], FLOAT_T);
  site.become('Cast', [quotient], castAttrs(DataType.DT_FLOAT, site.type));
}

/** The remainder has the sign of the dividend, as in C; the one of TensorFlow.js has that of the divisor. */
export function remainderOfTruncation(site: Site): void {
  const [a, b] = [site.input(0), site.input(1)];
  const rest = site.add('FloorMod', [site.add('Abs', [a]), site.add('Abs', [b])]);
  site.become('Mul', [site.add('Sign', [a]), rest]);
}

/** TensorFlow rounds the mean of integers towards 0. */
export function averageIntegers(site: Site): void {
  if (isFloat(site.type)) return;
  const keep = attr.bool(attrBool(site.node, 'keep_dims') ?? false);
  const mean = site.add('Mean', [asFloat(site, site.input(0)), site.input(1)], { ...FLOAT_T, keep_dims: keep });
  site.become('Cast', [mean], castAttrs(DataType.DT_FLOAT, site.type));
}

/** The backend in WebAssembly multiplies integers as if their bits were floats. */
export function multiplyAsFloats(site: Site): void {
  if (isFloat(site.type)) return;
  const keep = attr.bool(attrBool(site.node, 'keep_dims') ?? false);
  const product = site.add('Prod', [asFloat(site, site.input(0)), site.input(1)], { ...FLOAT_T, keep_dims: keep });
  site.become('Cast', [product], castAttrs(DataType.DT_FLOAT, site.type));
}

/** Not 0: the backend in WebAssembly keeps the bits. */
export function castToBool(site: Site): void {
  const type = attrType(site.node, 'SrcT') ?? DataType.DT_FLOAT;
  if (attrType(site.node, 'DstT') !== DataType.DT_BOOL || type === DataType.DT_BOOL) return;
  site.become('NotEqual', [site.input(0), site.scalar(0, type)], { T: attr.type(type) });
}

function castAttrs(from: DataType, to: DataType) {
  return { SrcT: attr.type(from), DstT: attr.type(to) };
}

function asFloat(site: Site, ref: TensorRef): TensorRef {
  return site.add('Cast', [ref], castAttrs(site.type, DataType.DT_FLOAT));
}
