// Changes of a MetaGraphDef around its graph, and of a SavedModel.

import { oddShape } from './attrs.mjs';
import { inputOf } from './graph.mjs';
import { hostileName } from './words.mjs';

function anyTensorName(meta, random) {
  const nodes = meta.graph_def?.node ?? [];
  return nodes.length > 0 && random.chance(0.8) ? inputOf(random.pick(nodes).name, random) : hostileName(random);
}

export const META_CHANGES = {
  changeSaver: (meta, random) => {
    const saver = { ...meta.saver_def };
    random.pick([
      () => (saver.filename_tensor_name = anyTensorName(meta, random)),
      () => (saver.restore_op_name = anyTensorName(meta, random)),
      () => (saver.save_tensor_name = anyTensorName(meta, random)),
      () => (saver.version = random.pick([0, 1, 2, 3, -1])),
      () => (saver.sharded = !saver.sharded),
      () => (saver.max_to_keep = random.oddInteger() | 0),
    ])();
    meta.saver_def = saver;
  },
  removeSaver: (meta) => {
    meta.saver_def = undefined;
  },
  changeCollection: (meta, random) => {
    const collections = { ...meta.collection_def };
    meta.collection_def = collections;
    const keys = Object.keys(collections);
    const key = keys.length > 0 && random.chance(0.8) ? random.pick(keys) : hostileName(random);
    random.pick([
      () => delete collections[key],
      () => (collections[hostileName(random)] = collections[key] ?? {}),
      () => (collections[key] = collections[random.pick(keys)] ?? {}),
      () => (collections[key] = { node_list: { value: [anyTensorName(meta, random), hostileName(random)] } }),
      () => (collections[key] = { bytes_list: { value: [random.bytes(20), Buffer.from(hostileName(random))] } }),
      () => (collections[key] = { int64_list: { value: [random.oddInteger()] } }),
      () => (collections[key] = { any_list: { value: [{ type_url: hostileName(random), value: random.bytes(8) }] } }),
      () => {
        const { bytes_list } = collections[key] ?? {};
        if (!bytes_list?.value?.length) return;
        const value = bytes_list.value.map((bytes) => Buffer.from(bytes));
        const chosen = random.pick(value);
        if (chosen.length > 0) chosen[random.int(chosen.length)] ^= 1 << random.int(8);
        collections[key] = { bytes_list: { value } };
      },
    ])();
  },
  changeSignature: (meta, random) => {
    const signatures = { ...meta.signature_def };
    meta.signature_def = signatures;
    const keys = Object.keys(signatures);
    const key =
      keys.length > 0 && random.chance(0.8) ? random.pick(keys) : random.pick(['serving_default', hostileName(random)]);
    const signature = { ...signatures[key] };
    const side = random.pick(['inputs', 'outputs']);
    const tensors = { ...signature[side] };
    const name = Object.keys(tensors)[0] ?? 'x';
    random.pick([
      () => (tensors[name] = { ...tensors[name], name: anyTensorName(meta, random) }),
      () => (tensors[hostileName(random)] = { name: anyTensorName(meta, random), dtype: 1 }),
      () => (tensors[name] = { ...tensors[name], dtype: random.pick([0, 3, 7, 20, 125, -1]) }),
      () => (tensors[name] = { ...tensors[name], tensor_shape: oddShape(random) }),
      () => (tensors[name] = { coo_sparse: { values_tensor_name: anyTensorName(meta, random) }, dtype: 1 }),
      () => delete tensors[name],
      () => (signature.method_name = hostileName(random)),
    ])();
    signature[side] = tensors;
    signatures[key] = signature;
    if (random.chance(0.2)) signatures[hostileName(random)] = signature;
    if (random.chance(0.05)) for (let i = 0; i < 2000; i++) signatures[`s${i}`] = signature;
  },
  changeMetaInfo: (meta, random) => {
    const info = { ...meta.meta_info_def };
    random.pick([
      () => (info.tags = [hostileName(random), ...(info.tags ?? [])]),
      () => (info.tags = []),
      () => (info.tensorflow_version = hostileName(random)),
      () => (info.stripped_default_attrs = !info.stripped_default_attrs),
      () => (info.function_aliases = { [hostileName(random)]: hostileName(random) }),
    ])();
    meta.meta_info_def = info;
  },
  removeGraph: (meta) => {
    meta.graph_def = undefined;
  },
  changeObjects: (meta, random) => {
    const nodes = meta.object_graph_def?.nodes;
    if (!nodes?.length) return;
    const node = random.pick(nodes);
    random.pick([
      () =>
        (node.children = [
          ...(node.children ?? []),
          { node_id: random.pick([-1, 0, 1, 5, 2 ** 31 - 1]), local_name: hostileName(random) },
        ]),
      () => (node.children = []),
      () => nodes.splice(random.int(nodes.length), 1),
      () => nodes.push(...nodes),
      () => (node.variable = { dtype: random.pick([0, 1, 7, 20]), shape: oddShape(random), name: hostileName(random) }),
      () =>
        (node.slot_variables = [
          { original_variable_node_id: random.oddInteger() | 0, slot_name: 'x', slot_variable_node_id: -1 },
        ]),
    ])();
  },
};

export const SAVED_MODEL_CHANGES = {
  duplicateMetaGraph: (saved, random) => {
    const one = random.pick(saved.meta_graphs);
    const tags = random.chance(0.5) ? one.meta_info_def?.tags : [hostileName(random)];
    saved.meta_graphs.push({ ...one, meta_info_def: { ...one.meta_info_def, tags } });
  },
  removeMetaGraph: (saved, random) => {
    saved.meta_graphs.splice(random.int(saved.meta_graphs.length), 1);
  },
  changeSchema: (saved, random) => {
    saved.saved_model_schema_version = random.oddInteger();
  },
};
