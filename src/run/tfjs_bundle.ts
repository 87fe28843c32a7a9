// The build bundles this file: what bnfix uses of TensorFlow.js is half a megabyte, its packages are 77.
import '@tensorflow/tfjs-backend-cpu';
import * as converter from '@tensorflow/tfjs-converter';
import * as core from '@tensorflow/tfjs-core';

export { converter, core };
