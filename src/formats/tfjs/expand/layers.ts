import { attr, attrInt, attrString } from '../../../graph/attrs.js';
import { DataType } from '../../../graph/dtype.js';
import type { TensorRef } from '../../../graph/node.js';
import { elementCount } from '../../../graph/tensor.js';
import type { Site } from './site.js';

/** Larger kernels are not made. */
const MAX_KERNEL = 2 ** 22;

/** Channels first, the bias is not along the last dimension. */
export function addBias(site: Site): void {
  if (!site.isChannelsFirst) {
    site.become('BiasAdd', [site.input(0), site.input(1)]);
    return;
  }
  const sizes = [-1, ...new Array<number>(site.rank(0) - 2).fill(1)];
  site.become('AddV2', [site.input(0), site.add('Reshape', [site.input(1), site.ints(sizes)])]);
}

/** A convolution of groups of channels is as many convolutions. */
export function splitGroups(site: Site): void {
  const [images, kernel] = site.shapes;
  const channels = images?.at(site.isChannelsFirst ? 1 : -1) ?? -1;
  const depth = kernel?.[2] ?? -1;
  if (channels < 0 || depth <= 0 || channels === depth) return;
  const groups = channels / depth;
  const axis = site.isChannelsFirst ? 1 : 3;
  const parts = (ref: TensorRef, along: number) =>
    site.add('Split', [site.scalar(along, DataType.DT_INT32), ref], { num_split: attr.int(groups) });
  const [inputs, kernels] = [parts(site.input(0), axis), parts(site.input(1), 3)];
  const outputs = Array.from({ length: groups }, (_, port) =>
    site.add(
      'Conv2D',
      [
        { ...inputs, port },
        { ...kernels, port },
      ],
      site.node.attr,
    ),
  );
  site.become('ConcatV2', [...outputs, site.scalar(axis, DataType.DT_INT32)], { N: attr.int(groups) });
}

/** A convolution whose kernel picks one number for each channel. */
export function spaceToDepth(site: Site): void {
  const size = attrInt(site.node, 'block_size') ?? 2;
  const channels = site.shapes[0]?.at(site.isChannelsFirst ? 1 : -1) ?? -1;
  if (channels < 0) throw site.refuse('the number of its channels is unknown');
  const shape = [size, size, channels, size * size * channels];
  if (elementCount(shape) > MAX_KERNEL) throw site.refuse(`it has ${channels} channels`);
  const kernel = new Float32Array(elementCount(shape));
  const outputs = shape[3]!;
  for (let i = 0; i < outputs; i++) kernel[i * outputs + i] = 1;
  const format = attrString(site.node, 'data_format') ?? 'NHWC';
  const strides = { list: { i: format === 'NCHW' ? [1, 1, size, size] : [1, size, size, 1] } };
  site.become('Conv2D', [site.input(0), site.constant(shape, kernel, DataType.DT_FLOAT)], {
    data_format: attr.string(format),
    padding: attr.string('VALID'),
    strides,
  });
}
