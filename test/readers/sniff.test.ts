import { describe, expect, it } from 'vitest';
import { DataType } from '../../src/graph/dtype.js';
import { MemorySource } from '../../src/io/source.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { explainWrongKind, type FileKind, sniff } from '../../src/readers/sniff.js';
import { floats, writeBundle, writeTable, writeV1 } from './checkpoint/write_table.js';

const { GraphDef, MetaGraphDef, SavedModel } = tensorflow;
const sniffBytes = (bytes: Uint8Array) => sniff(new MemorySource(bytes));
const sniffText = (text: string) => sniffBytes(Buffer.from(text, 'latin1'));

const node = { name: 'bn/Const', op: 'Const', attr: { dtype: { type: DataType.DT_FLOAT } } };
const graph = {
  node: [node, { name: 'scope/my op', op: 'Custom>Op', input: ['bn/Const'] }],
  versions: { producer: 27 },
};
const info = { tags: ['serve'], tensorflow_version: '1.13.2' };
const fn = { signature: { name: '__inference_f' }, node_def: [node] };
/** The field with this number out of a message's bytes. */
const message = (number: number, bytes: Uint8Array) => {
  const size = [];
  for (let n = bytes.length; ; n >>>= 7) {
    size.push(n > 127 ? (n & 127) | 128 : n);
    if (n <= 127) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
};
const versions = message(4, Buffer.from([8, 27]));

/** The local headers of a zip archive with empty files. */
function zipped(...names: string[]): string {
  const header = (name: string) => `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`;
  return names.map(header).join('');
}

describe('sniff tells', () => {
  it.each<[string, Uint8Array, FileKind]>([
    ['a GraphDef', GraphDef.encode(graph).finish(), 'graph_def'],
    [
      'a GraphDef whose first node has an odd name',
      GraphDef.encode({ node: [{ name: 'n\n', op: 'Const' }, node] }).finish(),
      'graph_def',
    ],
    ['a GraphDef with its versions first', Buffer.concat([versions, GraphDef.encode(graph).finish()]), 'graph_def'],
    [
      'a GraphDef with its library first',
      Buffer.concat([GraphDef.encode({ library: { function: [fn] } }).finish(), GraphDef.encode(graph).finish()]),
      'graph_def',
    ],
    [
      'a GraphDef of functions only',
      GraphDef.encode({ library: { function: [fn] }, versions: { producer: 1 } }).finish(),
      'graph_def',
    ],
    ['a GraphDef of TF 0.x, with a version number', Buffer.concat([Buffer.from([0x18, 7])]), 'graph_def'],
    ['a GraphDef that is cut short', GraphDef.encode(graph).finish().slice(0, -9), 'graph_def'],
    ['a MetaGraphDef', MetaGraphDef.encode({ meta_info_def: info, graph_def: graph }).finish(), 'meta_graph'],
    [
      'a MetaGraphDef with an op list',
      MetaGraphDef.encode({ meta_info_def: { stripped_op_list: { op: [{ name: 'Const' }] } } }).finish(),
      'meta_graph',
    ],
    ['a MetaGraphDef without meta_info_def', MetaGraphDef.encode({ graph_def: graph }).finish(), 'meta_graph'],
    [
      'a MetaGraphDef with an empty meta_info_def',
      MetaGraphDef.encode({ meta_info_def: {}, graph_def: graph }).finish(),
      'meta_graph',
    ],
    [
      'a MetaGraphDef whose graph comes last',
      Buffer.concat([
        MetaGraphDef.encode({ saver_def: { version: 2 } }).finish(),
        MetaGraphDef.encode({ graph_def: graph }).finish(),
      ]),
      'meta_graph',
    ],
    [
      'a MetaGraphDef of collections',
      MetaGraphDef.encode({ collection_def: { variables: { bytes_list: { value: [] } } } }).finish(),
      'meta_graph',
    ],
    [
      'a MetaGraphDef that is cut short',
      MetaGraphDef.encode({ meta_info_def: info, graph_def: graph }).finish().slice(0, -9),
      'meta_graph',
    ],
    [
      'a SavedModel',
      SavedModel.encode({
        saved_model_schema_version: 1,
        meta_graphs: [{ meta_info_def: info, graph_def: graph }],
      }).finish(),
      'saved_model',
    ],
    [
      'an ONNX model',
      Buffer.concat([Buffer.from([8, 7]), message(2, Buffer.from('pytorch')), message(7, Buffer.from([10, 0]))]),
      'onnx',
    ],
    ['a V2 index', writeBundle('m', [floats('w', [2])]).get('m.index')!, 'checkpoint_index'],
    [
      'a compressed V2 index',
      writeBundle('m', [floats('w', [2])], { snappy: true }).get('m.index')!,
      'checkpoint_index',
    ],
    ['a V1 checkpoint', writeV1([floats('w', [2])], () => ({ float_val: [1, 2] })), 'checkpoint_v1'],
    ['a table of something else', writeTable([['key', Buffer.from('value')]]), 'unknown'],
    ['numbers', new Uint8Array(new Float32Array([0.1, -3, 8e9]).buffer), 'unknown'],
  ])('%s', (_, bytes, kind) => {
    expect(sniffBytes(bytes)).toBe(kind);
  });

  it.each<[string, FileKind]>([
    ['node {\n  name: "x"\n}', 'graph_text'],
    ['# a comment: node {\n\n  versions { producer: 27 }', 'graph_text'],
    [`${'# comments of more than a piece\n \t'.repeat(5000)}node {`, 'graph_text'],
    [`${' '.repeat(65_535)}#\nmeta_graphs {`, 'saved_model_text'],
    [`${'# comments\n'.repeat(1000)}# node {`, 'text'],
    [`#${'x'.repeat(2 ** 24)}\nnode {`, 'text'],
    ['meta_info_def {\n}', 'meta_graph_text'],
    ['graph_def <\n>', 'meta_graph_text'],
    ['saved_model_schema_version: 1', 'saved_model_text'],
    ['model_checkpoint_path: "model.ckpt-3"\n', 'checkpoint_state'],
    ['all_model_checkpoint_paths: "a"', 'checkpoint_state'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', 'git_lfs_pointer'],
    ['\n  <!DOCTYPE html>\n<html>', 'html'],
    ['\xef\xbb\xbf<html lang="en">', 'html'],
    ['PK\x03\x04rest', 'zip'],
    ['\x1f\x8b\x08\x00', 'gzip'],
    ['\x89HDF\r\n\x1a\n...', 'hdf5'],
    ['\x1c\x00\x00\x00TFL3', 'tflite'],
    ['\x1c\x00\x00\x00ORTM', 'ort'],
    ['<?xml version="1.0"?>\n<net name="m" version="11">', 'openvino'],
    ['', 'empty'],
    ['hello world: this is not a model', 'text'],
    ['{"node": 1}', 'json'],
    ['{"format": "graph-model", "modelTopology": {', 'tfjs'],
    [zipped('metadata.json', 'config.json'), 'keras'],
    [zipped('archive/data.pkl'), 'pytorch'],
    [zipped('a.npy', 'b.npy'), 'npz'],
    ['\x93NUMPY\x01\x00', 'npy'],
    ['\x80\x04\x95\x0a\x00', 'pickle'],
    ['%PDF-1.4\n', 'pdf'],
    ['\x89PNG\r\n\x1a\n', 'image'],
    ['\x7fELF\x02', 'program'],
    [`${'\0'.repeat(257)}ustar`, 'archive'],
    ['name: "net"\nlayer {\n  name: "data"\n}\n', 'caffe_text'],
    ['\n\x03net\xa2\x06\x0a\n\x05conv1', 'caffe'],
    ['\x00\x01\x02\x03', 'unknown'],
  ])('%j', (text, kind) => {
    expect(sniffText(text)).toBe(kind);
  });

  it('a corrupt or shortened index without throwing', () => {
    const index = writeBundle('m', [floats('w', [2])]).get('m.index')!;
    for (let at = 0; at < index.length; at++) {
      const corrupt = index.slice();
      corrupt[at]! ^= 0x40;
      expect(['unknown', 'checkpoint_index', 'empty']).toContain(sniffBytes(corrupt));
      expect(['unknown', 'empty']).toContain(sniffBytes(index.slice(0, at)));
    }
  });
});

describe('explainWrongKind', () => {
  it.each<[FileKind, string, string]>([
    ['git_lfs_pointer', 'a Git LFS pointer, not the file itself', 'git lfs pull'],
    ['html', 'a web page that was downloaded in place of the file', 'raw'],
    ['zip', 'a zip archive', 'unpack'],
    ['empty', 'an empty file', 'again'],
    ['unknown', 'neither a TensorFlow graph nor a checkpoint', 'truncated'],
    ['checkpoint_index', 'the index of a checkpoint, not a graph', '.meta'],
  ])('says what a file of kind %s is', (kind, what, fix) => {
    const error = explainWrongKind(kind, 'a b.meta');
    expect(error).toMatchObject({ code: 'unreadable', message: `a b.meta is ${what}`, where: 'a b.meta' });
    expect(error.fix).toContain(fix);
  });
});
