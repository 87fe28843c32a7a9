import { checkHealth, type HealthProblem } from '../../analysis/state/health.js';
import type { Tensor } from '../../graph/tensor.js';
import { isObject, type Json, type JsonObject } from './model_json.js';

/** A batch norm layer of Keras; it uses its moving statistics whenever the model is not trained. */
export interface LayerNorm {
  readonly name: string;
  readonly problem: HealthProblem | undefined;
}

const MEAN = /(^|\/)moving_mean$/;

/** The batch norms of a layers model, from the names of its weights, or else from its layers. */
export function findLayerNorms(topology: JsonObject, weights: ReadonlyMap<string, Tensor>): LayerNorm[] {
  const stored = [...weights].flatMap(([name, mean]): LayerNorm[] => {
    const variance = MEAN.test(name) ? `${name.slice(0, -'mean'.length)}variance` : '';
    const value = weights.get(variance);
    if (!value) return [];
    const { problem } = checkHealth({ name, value: () => mean }, { name: variance, value: () => value });
    return [{ name: name.replace(MEAN, '') || name, problem }];
  });
  return stored.length > 0 ? stored : layersOf(topology).map((name) => ({ name, problem: undefined }));
}

/** The names of the layers that are batch norms, also in models that are layers. */
function layersOf(topology: JsonObject): string[] {
  const names: string[] = [];
  const todo: Json[] = [topology];
  for (let json = todo.pop(); json !== undefined; json = todo.pop()) {
    if (Array.isArray(json)) todo.push(...json.filter((each) => typeof each === 'object'));
    if (!isObject(json)) continue;
    const { class_name: kind, config } = json;
    if (typeof kind === 'string' && kind.endsWith('BatchNormalization') && isObject(config))
      names.push(String(config.name));
    todo.push(...Object.values(json));
  }
  return names;
}
