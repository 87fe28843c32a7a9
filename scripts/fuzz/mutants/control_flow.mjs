// Changes of loops, branches and functions.

import { inputOf, nodeLists } from './graph.mjs';
import { hostileName } from './words.mjs';

const FRAMES = /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^LoopCond$/;

function frameNodes(graph) {
  return nodeLists(graph)
    .flat()
    .filter((node) => FRAMES.test(node.op));
}

/** Insert a node of an op in front of an input. */
function insertBefore(graph, random, op, attrOf) {
  const nodes = random.pick(nodeLists(graph));
  const node = random.pick(nodes);
  if (!node.input?.length) return;
  const at = random.int(node.input.length);
  const from = node.input[at];
  if (from.startsWith('^')) return;
  const name = `${node.name}/inserted_${op}`;
  const other = random.pick(nodes).name;
  const inputs = { Switch: [from, other], Merge: [from, other] }[op] ?? [from];
  nodes.push({
    name,
    op,
    input: inputs,
    attr: { T: { type: random.pick([1, 1, 1, 3, 10]) }, ...attrOf(inputs.length) },
  });
  node.input[at] = op === 'Switch' ? inputOf(name, random) : name;
}

export const CONTROL_FLOW_CHANGES = {
  moveFrameOp: (graph, random) => {
    const nodes = frameNodes(graph);
    if (nodes.length < 2) return;
    const [a, b] = [random.pick(nodes), random.pick(nodes)];
    [a.op, b.op] = [b.op, a.op];
  },
  rewireFrameOp: (graph, random) => {
    const nodes = frameNodes(graph);
    if (nodes.length < 2) return;
    const node = random.pick(nodes);
    const other = random.chance(0.7) ? random.pick(nodes) : random.pick(graph.node);
    if (node.input?.length) node.input[random.int(node.input.length)] = inputOf(other.name, random);
  },
  swapBranches: (graph, random) => {
    const merges = frameNodes(graph).filter((node) => node.op === 'Merge');
    if (merges.length > 0) random.pick(merges).input?.reverse();
  },
  renameFrame: (graph, random) => {
    const enters = frameNodes(graph).filter((node) => /Enter$/.test(node.op));
    if (enters.length === 0) return;
    const name = { s: Buffer.from(random.pick(['other', '', hostileName(random).slice(0, 50)])) };
    const some = random.chance(0.5) ? enters : [random.pick(enters)];
    for (const node of some) node.attr = { ...node.attr, frame_name: name };
  },
  toggleConstant: (graph, random) => {
    const enters = frameNodes(graph).filter((node) => /Enter$/.test(node.op));
    if (enters.length === 0) return;
    const node = random.pick(enters);
    node.attr = { ...node.attr, is_constant: { b: !node.attr?.is_constant?.b } };
  },
  insertFrameOp: (graph, random) => {
    const op = random.pick([
      'Switch',
      'Merge',
      'Enter',
      'Exit',
      'NextIteration',
      'LoopCond',
      'Identity',
      'StopGradient',
    ]);
    insertBefore(graph, random, op, (count) =>
      op === 'Enter' ? { frame_name: { s: Buffer.from('inserted') } } : op === 'Merge' ? { N: { i: count } } : {},
    );
  },
  crossControlEdge: (graph, random) => {
    const nodes = frameNodes(graph);
    const to = nodes.length > 0 && random.chance(0.6) ? random.pick(nodes) : random.pick(graph.node);
    to.input = [
      ...(to.input ?? []),
      `^${random.pick(nodes.length > 0 && random.chance(0.5) ? nodes : graph.node).name}`,
    ];
  },
};

function functionsOf(graph) {
  return graph.library?.function ?? [];
}

const anyFunction = (graph, random) => random.pick(functionsOf(graph));
const nameOf = (body) => body.signature?.name ?? '';

/** Changes of the function library; they apply to graphs that have one, but for the last ones, which make one. */
export const FUNCTION_CHANGES = {
  duplicateFunction: (graph, random) => {
    const body = anyFunction(graph, random);
    functionsOf(graph).push(random.chance(0.5) ? body : { ...body, node_def: [...body.node_def].reverse() });
  },
  removeFunction: (graph, random) => {
    functionsOf(graph).splice(random.int(functionsOf(graph).length), 1);
  },
  renameFunction: (graph, random) => {
    const body = anyFunction(graph, random);
    const name = random.chance(0.5) ? nameOf(anyFunction(graph, random)) : hostileName(random);
    body.signature = { ...body.signature, name };
  },
  recurse: (graph, random) => {
    const body = anyFunction(graph, random);
    const target = random.chance(0.6) ? nameOf(body) : nameOf(anyFunction(graph, random));
    const types = (list) => ({ list: { type: (list ?? []).map(() => 1) } });
    const attr = {
      f: { func: { name: target } },
      Tin: types(body.signature?.input_arg),
      Tout: types(body.signature?.output_arg),
    };
    const input = (body.signature?.input_arg ?? []).map(({ name }) => name);
    body.node_def.push({
      name: 'again',
      op: random.pick(['PartitionedCall', 'StatefulPartitionedCall', target]),
      input,
      attr,
    });
    const rets = Object.keys(body.ret ?? {});
    if (rets.length > 0) body.ret = { ...body.ret, [random.pick(rets)]: 'again:output:0' };
  },
  retarget: (graph, random) => {
    const callers = nodeLists(graph)
      .flat()
      .filter((node) => Object.values(node.attr ?? {}).some((value) => value.func));
    if (callers.length === 0) return;
    const node = random.pick(callers);
    const key = Object.keys(node.attr).find((name) => node.attr[name].func);
    node.attr = { ...node.attr, [key]: { func: { ...node.attr[key].func, name: nameOf(anyFunction(graph, random)) } } };
  },
  changeRet: (graph, random) => {
    const body = anyFunction(graph, random);
    const ret = { ...body.ret };
    const keys = Object.keys(ret);
    const node = random.pick(body.node_def)?.name ?? '';
    if (keys.length === 0 || random.chance(0.2)) ret[hostileName(random)] = node;
    else if (random.chance(0.4)) delete ret[random.pick(keys)];
    else
      ret[random.pick(keys)] = random.pick([
        node,
        `${node}:output:0`,
        `${node}:y:${random.int(3)}`,
        `${node}:0`,
        `^${node}`,
        hostileName(random),
      ]);
    body.ret = ret;
  },
  changeSignature: (graph, random) => {
    const body = anyFunction(graph, random);
    const side = random.pick(['input_arg', 'output_arg']);
    const args = [...(body.signature?.[side] ?? [])];
    random.pick([
      () => args.splice(random.int(args.length), 1),
      () => args.push({ name: hostileName(random), type: 1 }),
      () => args.push(...args),
      () => args.reverse(),
      () => args.splice(0, 1, { ...args[0], type: random.pick([0, 3, 7, 20, 101]) }),
      () => args.splice(0, 1, { ...args[0], type: 0, type_attr: 'T' }),
      () => args.splice(0, 1, { ...args[0], number_attr: random.pick(['N', '__proto__']), type: 1 }),
      () => args.splice(0, 1, { ...args[0], type_list_attr: 'Tin' }),
    ])();
    body.signature = { ...body.signature, [side]: args };
  },
  changeFunctionInput: (graph, random) => {
    const body = anyFunction(graph, random);
    const nodes = body.node_def.filter((node) => node.input?.length > 0);
    if (nodes.length === 0) return;
    const node = random.pick(nodes);
    const name = random.pick(body.node_def).name;
    const input = [
      `${name}:output:0`,
      `${name}:z:0`,
      `${name}:y:7`,
      `${name}:0`,
      name,
      `${name}:__proto__:0`,
      `${name}:output:-1`,
      `^${name}`,
    ];
    node.input[random.int(node.input.length)] = random.pick(input);
  },
  changeGradient: (graph, random) => {
    graph.library.gradient = [
      { function_name: nameOf(anyFunction(graph, random)), gradient_func: hostileName(random) },
    ];
  },
};

export { functionsOf };
