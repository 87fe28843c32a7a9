import { registerKernels } from './kernels.js';
import type { Tfjs } from './tfjs.js';
import type { Backend } from './work.js';

let loading: Promise<Tfjs> | undefined;

/** Loads TensorFlow.js on demand: it takes most of a second, and most commands do not need it. */
export function loadTfjs(): Promise<Tfjs> {
  loading ??= (async () => {
    const { converter, core } = await import('./tfjs_bundle.js');
    const tfjs: Tfjs = { core, converter };
    registerKernels(tfjs);
    return tfjs;
  })();
  return loading;
}

let last: Promise<unknown> = Promise.resolve();

/** Computes on the CPU without the banner of TensorFlow.js, one run at a time, and restores the settings of the process. */
export function onBackend<T>(tfjs: Tfjs, backend: Backend, run: () => Promise<T>): Promise<T> {
  const { core } = tfjs;
  const next = last.then(async () => {
    const environment = core.env();
    const isProduction = environment.getBool('PROD');
    const before = core.getBackend();
    environment.set('PROD', true);
    try {
      await use(core, backend);
      return await run();
    } finally {
      environment.set('PROD', isProduction);
      if (before && before !== core.getBackend()) await core.setBackend(before);
    }
  });
  last = next.catch(() => undefined);
  return next;
}

/** Switches to a backend; to start the one in WebAssembly takes a tenth of a second. */
async function use(core: Tfjs['core'], backend: Backend): Promise<void> {
  if (backend === 'wasm') {
    await import('./wasm_bundle.js');
    if (await core.setBackend('wasm')) return;
  }
  await core.setBackend('cpu');
}
