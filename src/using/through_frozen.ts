import { shellQuoted } from '../quoted.js';
import { besides, type FrozenFile, shortName } from './frozen_file.js';
import type { SignedModel } from './signed_model.js';
import type { Part, Step } from './step.js';

/** For programs that read frozen graphs only: bnfix writes one first. */
export function throughFrozen(make: (file: FrozenFile) => Step): (model: SignedModel) => Step {
  return (model) => {
    const path = besides(model, '.frozen.pb');
    const step = make({ path, format: 'pb', inputs: model.inputs, outputs: model.outputs });
    if (step.limit) return step;
    const names = model.outputs.map((output) => shellQuoted(shortName(output))).join(',');
    const code = [`bnfix freeze ${shellQuoted(model.path)} -o ${shellQuoted(path)} --outputs ${names}`];
    const freezing: Part = { language: 'shell', writes: path, code };
    return { ...step, parts: [freezing, ...step.parts] };
  };
}
