import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../src/io/source.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { readMetaGraph, readSavedModel } from '../../src/readers/meta_graph.js';
import { explainWrongKind, type FileKind, graphKindOf, isConverted, sniff } from '../../src/readers/sniff.js';
import { textToBinary } from '../../src/readers/text.js';
import { failure } from '../support/failure.js';

const kindOf = (content: string | readonly number[]) =>
  sniff(
    new MemorySource(typeof content === 'string' ? Buffer.from(content, 'latin1') : Uint8Array.from(content), 'file'),
  );

const SAVE = 'load it in TensorFlow and save it with tf.train.Saver or as a SavedModel';
const MODEL = 'name the .meta, the .pb or the SavedModel folder';
const FROM_META = 'name the .meta file and the checkpoint that it was converted from';
const INDEX = 'name the .index file or the prefix of the checkpoint';

describe('a file of the wrong kind', () => {
  it.each<[FileKind, string, string]>([
    ['zip', 'a zip archive', 'unpack it and name the model inside'],
    ['keras', 'a Keras 3 model (.keras)', SAVE],
    ['pytorch', 'a PyTorch checkpoint: bnfix reads TensorFlow models', MODEL],
    ['npz', 'a NumPy archive (.npz): it has arrays, but no graph', MODEL],
    ['npy', 'a NumPy array (.npy): it has numbers, but no graph', MODEL],
    ['pickle', 'a Python pickle (PyTorch, scikit-learn): bnfix reads TensorFlow models', MODEL],
    [
      'tfjs',
      'a TensorFlow.js model, already converted',
      [
        'name the .meta or SavedModel that it was converted from',
        'bnfix check a.pb  tells whether it is affected',
        'bnfix next a.pb  shows how to load it',
      ].join('\n'),
    ],
    ['json', 'a JSON file', MODEL],
    ['caffe', 'a Caffe model: bnfix reads TensorFlow models', MODEL],
    ['caffe_text', 'a Caffe model in text form: bnfix reads TensorFlow models', MODEL],
    ['archive', 'an archive', 'unpack it and name the model inside'],
    ['pdf', 'a PDF document', MODEL],
    ['image', 'an image', MODEL],
    ['program', 'a program', MODEL],
    ['text', 'a text file, not a graph', MODEL],
    ['git_lfs_pointer', 'a Git LFS pointer, not the file itself', 'run "git lfs pull" in its repository'],
    [
      'html',
      'a web page that was downloaded in place of the file',
      'download the file itself: on GitHub that is the "raw" link or "Download"',
    ],
    ['gzip', 'a gzip archive', 'unpack it (tar xzf) and name the model inside'],
    ['hdf5', 'an HDF5 file, as Keras writes', SAVE],
    ['tflite', 'a TFLite model, already converted', FROM_META],
    ['onnx', 'an ONNX model, already converted', `${FROM_META}\nbnfix check a.pb  tells whether it is affected`],
    ['ort', 'a model of ONNX Runtime (.ort), already converted', 'check the .onnx file that it was made from'],
    [
      'openvino',
      'an OpenVINO model, already converted',
      'name the .meta, .pb or .onnx file that it was converted from',
    ],
    ['empty', 'an empty file', 'copy or download it again'],
    ['checkpoint_state', 'a checkpoint state file: it only names checkpoints', 'name the checkpoint, or the folder'],
    ['checkpoint_index', 'the index of a checkpoint, not a graph', 'name the .meta file that was saved with it'],
    ['checkpoint_v1', 'a V1 checkpoint, not a graph', 'name the .meta file that was saved with it'],
    ['graph_def', 'a graph, not a checkpoint', INDEX],
    ['meta_graph', 'a graph (.meta), not a checkpoint', INDEX],
    ['saved_model', 'a SavedModel, not a checkpoint', 'name its variables/variables.index'],
    ['graph_text', 'a graph in text form, not a checkpoint', INDEX],
    ['meta_graph_text', 'a graph in text form, not a checkpoint', INDEX],
    ['saved_model_text', 'a SavedModel in text form, not a checkpoint', 'name its variables/variables.index'],
    [
      'unknown',
      'neither a TensorFlow graph nor a checkpoint',
      'it may be corrupt or truncated: copy or download it again, or name another file',
    ],
  ])('%s: what it is, and what to do', (kind, what, fix) => {
    const error = explainWrongKind(kind, 'a.pb');
    expect([error.code, error.message, error.where, error.fix]).toEqual(['unreadable', `a.pb is ${what}`, 'a.pb', fix]);
  });

  it('may be a model that was converted', () => {
    expect((['tfjs', 'tflite', 'onnx', 'ort', 'openvino'] as const).every(isConverted)).toBe(true);
    expect((['keras', 'pytorch', 'hdf5', 'graph_def', 'unknown'] as const).some(isConverted)).toBe(false);
  });

  it('is no kind of graph', () => {
    const graphs = ['graph_def', 'meta_graph', 'saved_model', 'graph_text', 'meta_graph_text', 'saved_model_text'];
    expect(graphs.map((kind) => graphKindOf(kind as FileKind))).toEqual(graphs);
    expect((['onnx', 'checkpoint_v1', 'unknown'] as const).map(graphKindOf)).toEqual([undefined, undefined, undefined]);
  });
});

/** A local header of a zip archive. */
const zipped = (...names: string[]) =>
  names.map((name) => `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`).join('');

/** A graph whose first node has a name of so many bytes. */
const nodeNamed = (length: number) => {
  const number = [(length & 127) | 128, length >> 7];
  const node = [10, ...number, ...new Array(length).fill(0x6e), 0x12, 1, 0x4f];
  return [10, (node.length & 127) | 128, node.length >> 7, ...node];
};

describe('a file that cannot be read', () => {
  it.each([
    ['a table', [...new Array(40).fill(0), 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]],
    ['a message', [10, 6, 10, 1, 0x6e, 0x12, 1, 0x4f]],
  ])('is of no kind: %s', (_, content) => {
    const source = new MemorySource(Uint8Array.from(content), 'file');
    let reads = 0;
    const failing = {
      name: 'file',
      size: source.size,
      readInto: source.readInto.bind(source),
      close: () => {},
      read: (offset: number, length: number) => {
        if (++reads > 1) throw new Error('input/output error');
        return source.read(offset, length);
      },
    };
    expect(() => sniff(failing)).toThrow('input/output error');
  });
});

describe('the first bytes tell', () => {
  it.each<[string, FileKind]>([
    ['\xff\xd8\xff\xe0', 'image'],
    ['GIF89a\x01', 'image'],
    ['RIFF\x01\0\0\0WEBP', 'image'],
    ['\x80\x02}q\0', 'pickle'],
    ['\x80\x03}q\0', 'pickle'],
    ['\x80\x05\x95\0', 'pickle'],
    ['BZh91AY\0', 'archive'],
    ['\xfd7zXZ\0', 'archive'],
    ['7z\xbc\xaf\x27', 'archive'],
    ['\x28\xb5\x2f\xfd\0', 'archive'],
    ['Rar!\x1a\x07', 'archive'],
    ['MZ\x90\0', 'program'],
    ['PK\x05\x06\0\0', 'zip'],
    [zipped('config.json'), 'keras'],
    [zipped('model.weights.h5'), 'keras'],
    [zipped('data.pkl'), 'pytorch'],
    [zipped('a.npy', 'b.txt'), 'zip'],
    [zipped('my_config.json', 'config.json.bak', 'my_data.pkl', 'data.pkl.bak'), 'zip'],
    // A name that is longer than what is there is none.
    [`PK\x03\x04${'\0'.repeat(22)}\x09\0\0\0a.npy`, 'zip'],
    [`${'\0'.repeat(256)}ustar`, 'unknown'],
    [zipped('', 'a.npy'), 'npz'],
    // A name of 300 bytes.
    [`PK\x03\x04${'\0'.repeat(22)}\x2c\x01\0\0${'m/'.repeat(146)}data.pkl`, 'pytorch'],
  ])('%j: %s', (content, kind) => {
    expect(kindOf(content)).toBe(kind);
  });

  it.each<[string, FileKind]>([
    ['library {', 'graph_text'],
    ['versions {', 'graph_text'],
    ['version: 1', 'graph_text'],
    ['# comment\n  # another: {\n\tnode\t{', 'graph_text'],
    ['saver_def {', 'meta_graph_text'],
    ['collection_def {', 'meta_graph_text'],
    ['signature_def {', 'meta_graph_text'],
    ['asset_file_def {', 'meta_graph_text'],
    ['meta_graphs {', 'saved_model_text'],
    ['all_model_checkpoint_timestamps: 1', 'checkpoint_state'],
    ['last_preserved_timestamp: 1', 'checkpoint_state'],
    ['nodes {', 'text'],
    ['my_node {', 'text'],
    ['node name', 'text'],
    ['x node {', 'text'],
    ['<body>', 'html'],
    ['<!-- saved -->', 'html'],
    ['<?xml version="1.0"?><svg>', 'html'],
    ['a <html>', 'text'],
    [' \n<?xml version="1.0"?>\n<net name="n">', 'openvino'],
    ['{"weightsManifest": []}', 'tfjs'],
    ['{"format" : "layers-model"}', 'tfjs'],
    ['{"format": "graph"}', 'json'],
    ['{"format":"graph-model"}', 'tfjs'],
    ['<?xml version="1.0"?><net name="n">', 'openvino'],
    ['a <?xml version="1.0"?><net name="n">', 'text'],
    ['  [1, 2]', 'json'],
    ['layers {', 'caffe_text'],
    ['name: "net"\n  layer{', 'caffe_text'],
    ['players {', 'text'],
    ['tabs\tand\r\nlines', 'text'],
    ['text\x7f\xe9', 'text'],
    ['text\x0b', 'unknown'],
  ])('%j: %s', (content, kind) => {
    expect(kindOf(content)).toBe(kind);
  });

  it.each<[string, readonly number[], FileKind]>([
    // NetParameter: name, then layers.
    ['Caffe, old layers', [10, 1, 0x61, 0x12, 0], 'caffe'],
    ['Caffe, new layers', [10, 1, 0x61, 0xa2, 6, 0], 'caffe'],
    ['another field after the name', [10, 1, 0x61, 0xa2, 7, 0], 'unknown'],
    ['a name with control characters', [10, 1, 0x01, 0x12, 0], 'unknown'],
    ['a SavedModel: version 1, one graph', [8, 1, 0x12, 0], 'saved_model'],
    ['version 2', [8, 2, 0x12, 0], 'unknown'],
    ['another field', [8, 1, 0x1a, 0], 'unknown'],
    ['ONNX: version, producer, graph', [8, 1, 0x12, 0, 0x3a, 0], 'onnx'],
    ['a version of GraphDef', [0x18, 21], 'graph_def'],
    ['a SaverDef', [0x1a, 0], 'meta_graph'],
    ['the versions of a GraphDef', [0x22, 2, 8, 21], 'graph_def'],
    ['an entry of collection_def', [0x22, 2, 10, 0], 'meta_graph'],
    ['tags of MetaInfoDef', [10, 3, 0x22, 1, 0x61], 'meta_graph'],
    ['the version of TensorFlow', [10, 3, 0x2a, 1, 0x61], 'meta_graph'],
    ['its git version', [10, 3, 0x32, 1, 0x61], 'meta_graph'],
    ['the flag of stripped attrs', [10, 2, 0x38, 1], 'meta_graph'],
    ['an empty list of ops', [10, 2, 0x12, 0], 'meta_graph'],
    ['a node', [10, 6, 10, 1, 0x6e, 0x12, 1, 0x4f], 'graph_def'],
    ['an op that no op has as its name', [10, 6, 10, 1, 0x6e, 0x12, 1, 0x31], 'unknown'],
    ['a node without an op', [10, 3, 10, 1, 0x6e], 'unknown'],
    ['a graph in a graph', [0x12, 4, 0x12, 2, 0x18, 1], 'unknown'],
    ['a graph in a field of a MetaGraphDef', [0x12, 2, 0x18, 1], 'meta_graph'],
    ['a fixed number', [0x1d, 1, 2, 3, 4], 'unknown'],
    ['an op that begins with a digit', [10, 7, 10, 1, 0x6e, 0x12, 2, 0x31, 0x4f], 'unknown'],
    ['an op with other characters', [10, 7, 10, 1, 0x6e, 0x12, 2, 0x4f, 0x21], 'unknown'],
    ['a node with a name of control characters', [10, 7, 10, 2, 0x6e, 1, 0x12, 1, 0x4f], 'unknown'],
    ['a node without a name', [10, 5, 10, 0, 0x12, 1, 0x4f], 'unknown'],
    ['a node with a number as its name', [10, 5, 8, 0x41, 0x12, 1, 0x4f], 'unknown'],
    ['a node with a name of 1024 bytes', nodeNamed(1024), 'graph_def'],
    ['a node with a name of 1025 bytes', nodeNamed(1025), 'unknown'],
    ['a flag of stripped attrs that is no number', [10, 2, 0x3a, 0], 'unknown'],
    ['a map after the fields of MetaInfoDef', [10, 2, 0x42, 0], 'unknown'],
    ['a list of numbers where ops are', [10, 4, 0x12, 2, 8, 1], 'unknown'],
    ['another field where ops are', [10, 4, 0x12, 2, 0x12, 0], 'unknown'],
    ['another field beside an op', [10, 6, 0x12, 4, 10, 0, 0x12, 0], 'unknown'],
    ['version 1 and a number in the place of the graph of ONNX', [8, 1, 0x38, 1], 'unknown'],
    ['version 1 and a number in the place of a MetaGraphDef', [8, 1, 0x10, 1], 'unknown'],
    ['a number in the place of the versions', [0x20, 5, 0x18, 21], 'unknown'],
    ['no versions', [0x22, 0], 'unknown'],
    ['a float in the place of the versions', [0x22, 5, 0x0d, 1, 2, 3, 4], 'unknown'],
    ['Caffe, a name of 127 bytes', [10, 127, ...new Array(127).fill(0x61), 0x12, 0], 'caffe'],
    ['a length that goes on', [10, 128, ...new Array(128).fill(0x61), 0x12, 0], 'unknown'],
    ['another first field', [11, 1, 0x61, 0x12, 0], 'unknown'],
    ['a name that begins with a control character', [10, 2, 1, 0x61, 0x12, 0], 'unknown'],
    ['a name that ends with a control character', [10, 2, 0x61, 1, 0x12, 0], 'unknown'],
    ['another field of two bytes after the name', [10, 1, 0x61, 5, 6], 'unknown'],
  ])('%s', (_, content, kind) => {
    expect(kindOf(content)).toBe(kind);
  });
});

describe('a MetaGraphDef', () => {
  const { MetaGraphDef, SavedModel } = tensorflow;
  const meta = (name: string) => ({
    meta_info_def: { tags: [name] },
    graph_def: { node: [{ name, op: 'NoOp' }] },
    saver_def: { restore_op_name: 'save/restore_all' },
  });

  it('is its graph and its other fields', () => {
    const { graph, metaGraphDef } = readMetaGraph(new MemorySource(MetaGraphDef.encode(meta('a')).finish()));
    expect([...graph.nodes()].map(({ name }) => name)).toEqual(['a']);
    expect(metaGraphDef.saver_def?.restore_op_name).toBe('save/restore_all');
    expect(metaGraphDef.meta_info_def?.tags).toEqual(['a']);
  });

  it('without a graph has an empty one', () => {
    const { graph } = readMetaGraph(new MemorySource(MetaGraphDef.encode({ meta_info_def: {} }).finish()));
    expect(graph.size).toBe(0);
  });

  it('may be one of several in a SavedModel', () => {
    const bytes = SavedModel.encode({ saved_model_schema_version: 1, meta_graphs: [meta('a'), meta('b')] }).finish();
    const read = readSavedModel(new MemorySource(bytes));
    expect(read.map(({ metaGraphDef }) => metaGraphDef.meta_info_def?.tags)).toEqual([['a'], ['b']]);
    expect(read.map(({ graph }) => [...graph.nodes()].map(({ name }) => name))).toEqual([['a'], ['b']]);
  });
});

describe('a text file', () => {
  const convert = (text: string) => textToBinary(new MemorySource(Buffer.from(text), 'a.pbtxt'), 'GraphDef');

  it('is converted to the same message', () => {
    const binary = convert('node { name: "x" op: "NoOp" } # end');
    expect(binary.name).toBe('a.pbtxt');
    expect(tensorflow.GraphDef.decode(binary.read(0, binary.size)).node.map(({ name }) => name)).toEqual(['x']);
  });

  it('that is not one is refused with the reason of the parser', () => {
    const error = failure(() => convert('node { name: '));
    expect(error).toMatchObject({
      code: 'unreadable',
      message: 'a.pbtxt is not a GraphDef in protobuf text format',
      where: 'a.pbtxt',
      fix: 'save the graph in binary form (as_text=False), or check that the file is complete',
    });
    expect(error.why).toBe((error.cause as Error).message);
  });

  it('that is longer than a message may be is not read', () => {
    const read = () => expect.fail('it was read');
    const large = { name: 'a.pbtxt', size: 2 ** 32, read, readInto: read, close: () => {} };
    const error = failure(() => textToBinary(large, 'GraphDef'));
    expect(error).toMatchObject({ code: 'unreadable', message: 'a.pbtxt needs 4294967296 bytes in memory at once' });
  });
});
