import { BnfixError } from '../../errors.js';
import { attrType } from '../../graph/attrs.js';
import { DataType, dtypeName } from '../../graph/dtype.js';
import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { anyOf } from '../../ops/meaning.js';
import { gathersStrings, ignoredAttrs, isTfjsOp } from '../../ops/tfjs.js';

/** At most so many are named. */
const SHOWN = 10;

/**
 * Checks that TensorFlow.js can run graphs, and computes what TensorFlow does.
 * @param graphs - the graph, and those of its functions
 * @throws BnfixError `unsupported` with all ops that it lacks, or of which it ignores attrs
 */
export function refuseUnrunnable(graphs: readonly Graph[]): void {
  const unknown = new Map<string, string>();
  const ignored: string[] = [];
  for (const node of graphs.flatMap((graph) => [...graph.nodes()])) {
    if (wraps(node)) throw wrapsError(node);
    if (gathersStrings(node)) throw gathersError(node);
    if (!isTfjsOp(node.op)) unknown.set(node.op, unknown.get(node.op) ?? node.name);
    for (const key of ignoredAttrs(node)) ignored.push(`${node.name}: ${key} of ${node.op}`);
  }
  if (unknown.size > 0) throw lacks(unknown);
  if (ignored.length > 0) throw ignores(ignored);
}

const isArithmetic = anyOf('add', 'subtract', 'multiply', 'square', 'power', 'negate', 'reduction');
const SMALL_INTEGERS: readonly (DataType | undefined)[] = [
  DataType.DT_INT8,
  DataType.DT_UINT8,
  DataType.DT_INT16,
  DataType.DT_UINT16,
];

/** Whether a node computes in integers of 8 or 16 bits. */
function wraps(node: Node): boolean {
  return isArithmetic(node) && SMALL_INTEGERS.includes(attrType(node, 'T'));
}

function wrapsError(node: Node): BnfixError {
  const dtype = dtypeName(attrType(node, 'T')!);
  return new BnfixError('unsupported', `TensorFlow.js does not compute in ${dtype}`, {
    where: node.name,
    why: `${node.op} would not wrap around: integers are int32 there`,
    fix: OTHER_FORMAT,
  });
}

function gathersError(node: Node): BnfixError {
  return new BnfixError('unsupported', 'TensorFlow.js has no strings in Gather', {
    where: node.name,
    why: `${node.op} takes rows of numbers only there: look the strings up by the indices in your own code`,
    fix: [{ option: 'outputs', value: 'NAMES', text: 'ends the graph before it, at the indices' }, OTHER_FORMAT],
  });
}

function lacks(ops: ReadonlyMap<string, string>): BnfixError {
  const names = [...ops.keys()].sort();
  const one = names.length === 1;
  const why = names.slice(0, SHOWN).map((op) => `${ops.get(op)} (${op})`);
  return new BnfixError('unsupported', `TensorFlow.js has no op${one ? '' : 's'} ${names.join(', ')}`, {
    where: ops.get(names[0]!),
    why: names.length > SHOWN ? [...why, `and ${names.length - SHOWN} more`] : why,
    fix: [
      { option: 'outputs', value: 'NAMES', text: `ends the graph before ${one ? 'it' : 'them'}` },
      { option: 'inputs', value: 'NAMES', text: 'begins it later' },
      OTHER_FORMAT,
    ],
    data: { ops: names },
  });
}

function ignores(ignored: readonly string[]): BnfixError {
  const why = ignored.slice(0, SHOWN);
  return new BnfixError('unsupported', 'TensorFlow.js would compute something else: it ignores attrs of the graph', {
    where: ignored[0]!.replace(/: .*/s, ''),
    why: ignored.length > SHOWN ? [...why, `and ${ignored.length - SHOWN} more`] : why,
    fix: OTHER_FORMAT,
  });
}

const OTHER_FORMAT = { option: 'format', value: 'pb', text: 'writes a frozen graph for other programs' };
