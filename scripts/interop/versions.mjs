// The consumers and their versions, in one table. Everything else in this folder refers to it.

/** Python environments: version of Python, packages. TensorFlow 1.13 and 2.12 only make ideal graphs. */
export const ENVIRONMENTS = {
  tensorflow1: { python: '3.7', packages: ['tensorflow==1.15.5', 'protobuf==3.20.3'] },
  tensorflow2: { python: '3.11', packages: ['tensorflow-cpu==2.15.1'] },
  onnx: {
    python: '3.11',
    packages: [
      'tensorflow-cpu==2.15.1',
      'tf2onnx==1.17.0',
      'onnx==1.17.0',
      'onnxruntime==1.32.0',
      // onnx asks for a newer one, which TensorFlow does not load.
      'ml-dtypes==0.3.2',
    ],
  },
  // Without its dependencies: one of them reports each conversion to a server.
  openvino: { python: '3.11', packages: ['--no-deps', 'openvino==2024.6.0', 'numpy==1.26.4', 'packaging==24.2'] },
  opencv4: { python: '3.11', packages: ['opencv-python-headless==4.13.0.92'] },
  opencv5: { python: '3.11', packages: ['opencv-python-headless==5.0.0.93'] },
  tensorflow113: { python: '3.7', packages: ['tensorflow==1.13.2', 'protobuf==3.20.3'] },
  tensorflow212: { python: '3.11', packages: ['tensorflow-cpu==2.12.1', 'tf-slim==1.1.0'] },
};

/** Environments that make ideal graphs: the versions of TensorFlow that made the fixtures. */
export const MAKERS = ['tensorflow1', 'tensorflow113', 'tensorflow212', 'tensorflow2'];

/**
 * What runs a model. `module` is python/consumer_MODULE.py in an environment; `worker` a module of Node.js, whose versions are
 * those of package.json. `target` is the value of --target for it, `format` that of --format if it does not read frozen graphs;
 * `ideal` is the program whose results with ideal graphs count for it, which are always frozen.
 */
export const CONSUMERS = {
  tensorflow1: { title: 'TensorFlow 1.15.5', environment: 'tensorflow1', module: 'tensorflow' },
  tensorflow2: { title: 'TensorFlow 2.15.1', environment: 'tensorflow2', module: 'tensorflow' },
  'tensorflow1-meta': {
    title: 'TensorFlow 1.15.5, .meta and checkpoint',
    environment: 'tensorflow1',
    module: 'tensorflow',
    format: 'meta',
    ideal: 'tensorflow1',
  },
  'tensorflow2-saved_model': {
    title: 'TensorFlow 2.15.1, SavedModel',
    environment: 'tensorflow2',
    module: 'tensorflow',
    format: 'saved_model',
    ideal: 'tensorflow2',
  },
  tflite: { title: 'TensorFlow Lite 2.15.1', environment: 'tensorflow2', module: 'tflite', target: 'tflite' },
  'tflite-saved_model': {
    title: 'TensorFlow Lite 2.15.1, from a SavedModel',
    environment: 'tensorflow2',
    module: 'tflite',
    format: 'saved_model',
    ideal: 'tflite',
  },
  onnx: { title: 'tf2onnx 1.17.0 + onnxruntime 1.32.0', environment: 'onnx', module: 'onnx', target: 'onnx' },
  'onnx-saved_model': {
    title: 'tf2onnx 1.17.0 + onnxruntime 1.32.0, from a SavedModel',
    environment: 'onnx',
    module: 'onnx',
    format: 'saved_model',
    ideal: 'onnx',
  },
  openvino: { title: 'OpenVINO 2024.6.0', environment: 'openvino', module: 'openvino', target: 'openvino' },
  'openvino-saved_model': {
    title: 'OpenVINO 2024.6.0, from a SavedModel',
    environment: 'openvino',
    module: 'openvino',
    format: 'saved_model',
    ideal: 'openvino',
  },
  opencv4: { title: 'OpenCV 4.13.0', environment: 'opencv4', module: 'opencv', target: 'opencv' },
  opencv5: { title: 'OpenCV 5.0.0', environment: 'opencv5', module: 'opencv', target: 'opencv' },
  'tfjs-cpu': {
    title: 'TensorFlow.js 4.22.0, cpu',
    worker: 'tfjs/worker_node.mjs',
    argument: 'cpu',
    target: 'tfjs',
    format: 'tfjs',
  },
  'tfjs-wasm': {
    title: 'TensorFlow.js 4.22.0, wasm',
    worker: 'tfjs/worker_node.mjs',
    argument: 'wasm',
    target: 'tfjs',
    format: 'tfjs',
  },
  chromium: {
    title: 'TensorFlow.js 4.22.0 in Chromium, wasm',
    worker: 'tfjs/worker_chromium.mjs',
    argument: 'wasm',
    target: 'tfjs',
    format: 'tfjs',
  },
};
