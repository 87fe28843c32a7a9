// Changes of a GraphDef: its nodes, edges and attrs. They apply to function bodies, too.

import { changeAttr } from './attrs.mjs';
import { hostileName, hostileOp } from './words.mjs';

/** The lists of nodes in a GraphDef that are not empty: its own, and the bodies of its functions. */
export function nodeLists(graph) {
  return [graph.node, ...(graph.library?.function ?? []).map((body) => body.node_def)].filter(
    (list) => list?.length > 0,
  );
}

function anyNodes(graph, random) {
  const lists = nodeLists(graph);
  return lists.length > 1 && random.chance(0.4) ? random.pick(lists) : lists[0];
}

/** A name as it is written in an input: of a node, with a port or as a control input. */
export function inputOf(name, random) {
  return random.weighted([
    [12, name],
    [3, `${name}:${random.between(0, 4)}`],
    [2, `^${name}`],
    [1, `${name}:${random.pick([-1, 5, 1000, 2 ** 31, 2 ** 32, 1e20, '', 'x', '0x1', '01', ' 1'])}`],
    [1, random.pick([`^${name}:0`, `^^${name}`, ` ${name}`, `${name}:output:0`, `${name}:z:1`])],
  ]);
}

function renameInputs(nodes, from, to) {
  for (const node of nodes) {
    node.input = node.input?.map((input) => {
      const [, caret, name, rest] = /^(\^?)([^:]*)(.*)$/s.exec(input);
      return name === from ? `${caret}${to}${rest}` : input;
    });
  }
}

/** Ops whose removal, exchange or new edges test the analysis most. */
const TELLING =
  /^(Switch|Merge|(Ref)?Enter|(Ref)?Exit|(Ref)?NextIteration|LoopCond|FusedBatchNorm|Assign|Variable|VarHandle|ReadVariable|Restore|Save|Placeholder|Const|Moments|Mean|If|While|.*PartitionedCall)/;

function anyNode(nodes, random) {
  const telling = random.chance(0.5) ? nodes.filter((node) => TELLING.test(node.op)) : [];
  return telling.length > 0 ? random.pick(telling) : random.pick(nodes);
}

/** Each changes a GraphDef, and may leave it as it is where it does not apply. */
export const GRAPH_CHANGES = {
  renameNode: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const node = anyNode(nodes, random);
    const other = random.pick(nodes).name;
    const name = random.pick([
      hostileName(random),
      other,
      `${other}/x`,
      `${node.name}_1`,
      node.name.toUpperCase(),
      node.name.split('/')[0],
    ]);
    if (random.chance(0.6)) renameInputs(nodes, node.name, name);
    node.name = name;
  },
  duplicateNode: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const node = anyNode(nodes, random);
    const name = random.chance(0.5) ? node.name : `${node.name}_copy`;
    nodes.splice(random.int(nodes.length + 1), 0, {
      ...node,
      name,
      input: [...(node.input ?? [])],
      attr: { ...node.attr },
    });
  },
  removeNode: (graph, random) => {
    const nodes = anyNodes(graph, random);
    nodes.splice(nodes.indexOf(anyNode(nodes, random)), 1);
  },
  removeNodes: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const at = random.int(nodes.length);
    nodes.splice(at, 1 + random.small(nodes.length - at));
  },
  bypassNode: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const node = anyNode(nodes, random);
    if (node.input?.[0]) renameInputs(nodes, node.name, node.input[0].replace(/[:^].*/s, ''));
  },
  moveNode: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const [node] = nodes.splice(random.int(nodes.length), 1);
    nodes.splice(random.int(nodes.length + 1), 0, node);
  },
  reverseNodes: (graph, random) => {
    anyNodes(graph, random).reverse();
  },
  changeOp: (graph, random) => {
    const nodes = anyNodes(graph, random);
    anyNode(nodes, random).op = random.chance(0.5) ? random.pick(nodes).op : hostileOp(random);
  },
  changeOpOfKind: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const [from, to] = [anyNode(nodes, random).op, random.chance(0.5) ? random.pick(nodes).op : hostileOp(random)];
    for (const node of nodes) if (node.op === from) node.op = to;
  },
  removeInput: (graph, random) => {
    const { input } = anyNode(anyNodes(graph, random), random);
    if (input?.length > 0) input.splice(random.int(input.length), 1);
  },
  removeInputs: (graph, random) => {
    anyNode(anyNodes(graph, random), random).input = [];
  },
  addInput: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const node = anyNode(nodes, random);
    const input = inputOf(random.chance(0.85) ? random.pick(nodes).name : hostileName(random), random);
    const times = random.chance(0.02) ? 5000 : 1;
    node.input = [...(node.input ?? [])];
    node.input.splice(random.int(node.input.length + 1), 0, ...new Array(times).fill(input));
  },
  rewireInput: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const node = anyNode(nodes, random);
    if (!node.input?.length) return;
    node.input[random.int(node.input.length)] = inputOf(
      random.chance(0.9) ? random.pick(nodes).name : hostileName(random),
      random,
    );
  },
  rewireToSelf: (graph, random) => {
    const node = anyNode(anyNodes(graph, random), random);
    if (node.input?.length) node.input[random.int(node.input.length)] = inputOf(node.name, random);
  },
  changePort: (graph, random) => {
    const node = anyNode(anyNodes(graph, random), random);
    if (!node.input?.length) return;
    const at = random.int(node.input.length);
    node.input[at] = inputOf(node.input[at].replace(/^\^|:.*$/gs, ''), random);
  },
  swapInputs: (graph, random) => {
    const { input } = anyNode(anyNodes(graph, random), random);
    if (!input?.length) return;
    const [i, k] = [random.int(input.length), random.int(input.length)];
    [input[i], input[k]] = [input[k], input[i]];
  },
  swapConsumers: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const [a, b] = [anyNode(nodes, random).name, anyNode(nodes, random).name];
    renameInputs(nodes, a, '\x01');
    renameInputs(nodes, b, a);
    renameInputs(nodes, '\x01', b);
  },
  cycle: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const early = random.int(nodes.length);
    const late = random.between(early, nodes.length - 1);
    const node = nodes[early];
    const input = inputOf(nodes[late].name, random);
    if (node.input?.length && random.chance(0.7)) node.input[random.int(node.input.length)] = input;
    else node.input = [...(node.input ?? []), input];
  },
  changeAttr: (graph, random) => {
    const nodes = anyNodes(graph, random);
    changeAttr(anyNode(nodes, random), random, nodes);
  },
  changeAttrs: (graph, random) => {
    const nodes = anyNodes(graph, random);
    for (let i = random.between(2, 10); i > 0; i--) changeAttr(random.pick(nodes), random, nodes);
  },
  changeConstant: (graph, random) => {
    const nodes = anyNodes(graph, random).filter((node) => node.op === 'Const');
    if (nodes.length > 0) changeAttr(random.pick(nodes), random, nodes, 'value');
  },
  dropAttrKind: (graph, random) => {
    const nodes = anyNodes(graph, random);
    const key = random.pick(Object.keys(anyNode(nodes, random).attr ?? {}));
    for (const node of nodes) if (node.attr) delete node.attr[key];
  },
  changeDevice: (graph, random) => {
    anyNode(anyNodes(graph, random), random).device = random.pick(['/gpu:0', '/job:x', hostileName(random)]);
  },
  changeVersions: (graph, random) => {
    graph.versions = {
      producer: random.oddInteger() | 0,
      min_consumer: random.oddInteger() | 0,
      bad_consumers: [random.int(2000)],
    };
  },
};
