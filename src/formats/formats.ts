import type { FormatName } from './destination.js';
import type { Format } from './format.js';

/** Every format; each is loaded on demand. */
const FORMATS: Readonly<Record<FormatName, () => Promise<Format>>> = {
  pb: async () => (await import('./graph_def.js')).PB,
  pbtxt: async () => (await import('./graph_def.js')).PBTXT,
  tfjs: async () => (await import('./tfjs/tfjs.js')).TFJS,
  saved_model: async () => (await import('./saved_model/saved_model.js')).SAVED_MODEL,
  meta: async () => (await import('./meta/meta.js')).META,
};

/** Loads a format. */
export function loadFormat(name: FormatName): Promise<Format> {
  return FORMATS[name]();
}
