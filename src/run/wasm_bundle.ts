// The build bundles this file, with what it shares with tfjs_bundle.ts: the backend that computes in WebAssembly.
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { WASM } from './wasm_binary.js';

/** Instead of addresses: nothing is downloaded. Node.js has SIMD, and TensorFlow.js uses no threads in it. */
setWasmPaths(
  {
    'tfjs-backend-wasm.wasm': WASM,
    'tfjs-backend-wasm-simd.wasm': WASM,
    'tfjs-backend-wasm-threaded-simd.wasm': WASM,
  },
  true,
);
