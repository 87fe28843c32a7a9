import type { FlagSetting } from '../../diagnosis/finding.js';
import { numberOfConstant, type OpenExternal } from './constants.js';
import { type Examination, examine } from './examine.js';
import type { OnnxInput, OnnxModel } from './read_model.js';
import { Value } from './scope.js';

/** An input that decides whether a model trains. */
export interface OnnxFlag extends FlagSetting {
  /** Whether its default is the value of inference; undefined if it has none and must be fed. */
  readonly isInference: boolean | undefined;
}

/** A model with its flags as at inference, and as they are if nobody feeds those with a default. */
export interface FlagsFound {
  readonly flags: readonly OnnxFlag[];
  readonly inference: Examination;
  readonly asSaved: Examination;
}

/** So many inputs are tried at least; in a small model more, up to this number of nodes in all. */
const MIN_FLAGS = 16;
const MAX_NODES = 1_000_000;
const BOOL = 9;

/** So many numbers that an input is compared with are tried. */
const MAX_COMPARED = 4;

/** Finds the inputs that decide whether a model trains, by trying values: that of inference has the fewest faults. */
export function findFlags(model: OnnxModel, open: OpenExternal): FlagsFound {
  const scalars = new Map(model.inputs.filter(isScalar).map((input) => [input.name, input]));
  const names = new Set(scalars.keys());
  const defaults = defaultsOf(model, scalars);
  const look = (set: ReadonlyMap<string, number>) => examine(model, names, set, open);
  const chosen = new Map<string, number>();
  const tried = new Set<string>();
  let inference = look(chosen);
  for (let name = nextOf(model, inference, tried); name !== undefined; name = nextOf(model, inference, tried)) {
    tried.add(name);
    let best: { readonly value: number; readonly seen: Examination; readonly count: number } | undefined;
    let differs = false;
    for (const value of valuesToTry(scalars.get(name), defaults.get(name), inference.compared.get(name))) {
      const seen = look(new Map(chosen).set(name, value));
      const count = faults(seen);
      differs ||= best !== undefined && count !== best.count;
      if (!best || count < best.count) best = { value, seen, count };
    }
    if (!best || !differs) continue;
    chosen.set(name, best.value);
    inference = best.seen;
  }
  const flags = [...chosen].map(([name, value]): OnnxFlag => {
    const saved = defaults.get(name);
    const isBool = scalars.get(name)?.elemType === BOOL;
    return {
      name,
      value: isBool ? value === 1 : value,
      isInference: saved === undefined ? undefined : saved === value,
    };
  });
  const isSaved = flags.every(({ isInference }) => isInference !== false);
  return { flags, inference, asSaved: isSaved ? inference : look(new Map([...chosen, ...defaults])) };
}

/** The default first: where several values are inference, it is the one to keep. */
function valuesToTry(
  input: OnnxInput | undefined,
  saved: number | undefined,
  compared: ReadonlySet<number> = new Set(),
): Set<number> {
  const numbers = input?.elemType === BOOL ? [] : [...compared].slice(0, MAX_COMPARED);
  return new Set([
    ...(saved === undefined ? [] : [saved]),
    0,
    1,
    ...numbers.flatMap((each) => [each, each + 1, each - 1]),
  ]);
}

function nextOf({ body }: OnnxModel, { undecided }: Examination, tried: ReadonlySet<string>): string | undefined {
  const isMuch = tried.size >= MIN_FLAGS && tried.size * body.nodes.length > MAX_NODES;
  return isMuch ? undefined : [...undecided].find((name) => !tried.has(name));
}

function faults({ batchNorms, random, reductions }: Examination): number {
  return batchNorms.filter(({ isTraining }) => isTraining).length + random.length + reductions.length;
}

/** Whether an input is one number: no data. */
function isScalar({ shape, elemType }: OnnxInput): boolean {
  return shape === undefined ? elemType === BOOL : shape.length === 0 || (shape.length === 1 && shape[0] === 1);
}

/** Inputs with an initializer have its value if they are not fed. */
function defaultsOf({ body }: OnnxModel, scalars: ReadonlyMap<string, OnnxInput>): Map<string, number> {
  const defaults = new Map<string, number>();
  for (const name of scalars.keys()) {
    const initializer = body.initializers.get(name);
    const number = initializer && numberOfConstant(new Value(name, { initializer }));
    if (number !== undefined) defaults.set(name, number);
  }
  return defaults;
}
