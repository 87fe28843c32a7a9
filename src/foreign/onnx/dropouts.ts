import type { Flow } from './flow.js';
import { comparesNumbers, isRandom, keepsElements, SCALAR_FUNCTIONS, shiftsNumbers } from './ops.js';
import type { Scalars } from './scalars.js';
import type { OnnxNode, Value } from './scope.js';

/** Random numbers in a model. */
export interface RandomUse {
  readonly node: OnnxNode;
  /** Whether they are the mask of a dropout, or drawn by a Dropout. */
  readonly isDropout: boolean;
}

/** Until version 6, a Dropout has a flag whose default is training. From version 12 on, an input is the flag. */
const FIRST_WITHOUT_TEST_FLAG = 7;
const FIRST_WITH_INPUT = 12;
/** The numbers of a mask are not shifted and scaled by more ops. */
const MAX_HOPS = 16;

/** The active dropouts and other random ops that feed an output. */
export function findRandomUses(nodes: readonly OnnxNode[], flow: Flow, scalars: Scalars): RandomUse[] {
  return nodes.flatMap((node): RandomUse[] => {
    if (node.domain !== '') return [];
    if (node.op === 'Dropout') return isActive(node, scalars) ? [{ node, isDropout: true }] : [];
    if (!isRandom(node.op)) return [];
    const mask = maskOf(node, flow, scalars);
    return mask === 'off' ? [] : [{ node, isDropout: mask === 'dropout' }];
  });
}

/** The first output of a node; undefined if nothing reads it. */
function outputOf({ scope, outputs }: OnnxNode): Value | undefined {
  return scope.values.get(outputs[0] ?? '');
}

function isActive(node: OnnxNode, scalars: Scalars): boolean {
  const { opset, inputs } = node;
  if (opset < FIRST_WITHOUT_TEST_FLAG) return (node.int('is_test') ?? 0) === 0;
  if (opset < FIRST_WITH_INPUT) return false;
  const [, ratio, training] = inputs;
  if (!training || scalars.decide(training) === 0) return false;
  return !ratio || scalars.decide(ratio) !== 0;
}

/** What random numbers are compared with to make the mask of a dropout. `off`: it keeps everything. */
function maskOf(random: OnnxNode, flow: Flow, scalars: Scalars): 'dropout' | 'off' | undefined {
  let node = random;
  let added: Value | undefined;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const value = outputOf(node);
    const compare = value?.consumers.find(({ op }) => comparesNumbers(op));
    if (value && compare) {
      const result = constantMask(compare, value, added, scalars);
      return result !== undefined && keeps(compare, result, flow, scalars) ? 'off' : 'dropout';
    }
    const next = value?.consumers.find(({ op }) => shiftsNumbers(op));
    if (!value || !next) return undefined;
    if (next.op === 'Add') added = next.inputs.find((input) => input !== value);
    node = next;
  }
  return undefined;
}

/** The result of comparing numbers from 0 to 1, if it is the same for all. */
function constantMask(
  compare: OnnxNode,
  numbers: Value,
  added: Value | undefined,
  scalars: Scalars,
): boolean | undefined {
  const isFirst = compare.inputs[0] === numbers;
  // floor(keep_prob + random): 1 for all if keep_prob is 1.
  const threshold = compare.op === 'Floor' ? added : compare.inputs[isFirst ? 1 : 0];
  const limit = threshold && scalars.decide(threshold);
  if (limit === undefined) return undefined;
  if (compare.op === 'Floor') return limit >= 1 || (limit <= 0 ? false : undefined);
  const compute = SCALAR_FUNCTIONS.get(compare.op);
  const result = (number: number) => compute?.(...(isFirst ? [number, limit] : [limit, number]));
  // Random numbers are less than 1.
  const [least, most] = [result(0), result(1 - Number.EPSILON)];
  return least === most && least !== undefined ? least !== 0 : undefined;
}

/** Whether a mask with this value everywhere keeps the data: it is a factor, or chooses the data. */
function keeps(compare: OnnxNode, result: boolean, flow: Flow, scalars: Scalars): boolean {
  const todo: { readonly node: OnnxNode; readonly mask: boolean }[] = [{ node: compare, mask: result }];
  for (let hops = 0; hops < todo.length && hops < MAX_HOPS; hops++) {
    const { node, mask } = todo[hops]!;
    const value = outputOf(node);
    for (const next of value?.consumers ?? []) {
      const isData = (operand: Value | undefined) => operand !== undefined && flow.of(operand) !== undefined;
      if (next.op === 'Where') return isData(next.inputs[mask ? 1 : 2]);
      const other = next.op === 'Mul' ? next.inputs.find((operand) => operand !== value) : undefined;
      if (isData(other)) return mask;
      // The mask of what replaces the data: a zero.
      if (other && scalars.decide(other) === 0) continue;
      if (next.op === 'Not') todo.push({ node: next, mask: !mask });
      else if (other || keepsElements(next.op)) todo.push({ node: next, mask });
    }
  }
  return false;
}
