import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { ensureBuilt, MAIN } from '../cli/build.js';
import { spawnCli, temporaryFolder } from '../cli/support.js';
import { ALL, has } from './support.js';

beforeAll(ensureBuilt);
const at = temporaryFolder();

const { MetaGraphDef, SavedModel, GraphDef } = tensorflow;
const FIXTURES = resolve('test/fixtures');
/** A fixture, the path in it to load, and its file with the graph. */
const MODELS = [
  ['sharded_one_device', '.', 'model.ckpt.meta'],
  ['checkpoint_v1_113', '.', 'model.ckpt-100.meta'],
  ['checkpoint_v1_sharded', '', ''],
  ['table_of_file', '', ''],
  ['saved_model_signatures', 'saved_model', 'saved_model/saved_model.pb'],
  ['saved_model_keras_true_212', 'saved_model', 'saved_model/saved_model.pb'],
] as const;
/** Paths to put in place of those that a model names. */
const OUTSIDE = ['../secret/model', '../../secret/model', '/SECRET/model', 'a/../../secret/model', '..\\secret\\model'];

/** Every string constant, asset and collection of a model names this path. */
function pointOutside(file: string, path: string): void {
  const bytes = Buffer.from(path);
  const changeGraph = (graph: tensorflow.GraphDef.$Properties | null | undefined) => {
    const bodies = (graph?.library?.function ?? []).map((body) => body.node_def ?? []);
    for (const { attr } of [...(graph?.node ?? []), ...bodies.flat()]) {
      const tensor = attr?.value?.tensor;
      if (tensor?.string_val?.length) tensor.string_val = tensor.string_val.map(() => bytes);
      for (const key of ['filename', 'vocab_file', 'shared_name', 'container'])
        if (attr?.[key]?.s) attr[key] = { s: bytes };
    }
  };
  const changeMeta = (meta: tensorflow.MetaGraphDef.$Properties) => {
    changeGraph(meta.graph_def);
    meta.asset_file_def = [{ filename: path, tensor_info: { name: 'Const:0' } }];
    meta.collection_def = { ...meta.collection_def, asset_filepaths: { node_list: { value: [path] } } };
  };
  const old = readFileSync(file);
  if (file.endsWith('saved_model.pb')) {
    const saved = SavedModel.decode(old);
    saved.meta_graphs.forEach(changeMeta);
    writeFileSync(file, SavedModel.encode(saved).finish());
  } else if (file.endsWith('.meta')) {
    const meta = MetaGraphDef.decode(old);
    changeMeta(meta);
    writeFileSync(file, MetaGraphDef.encode(meta).finish());
  } else {
    const graph = GraphDef.decode(old);
    changeGraph(graph);
    writeFileSync(file, GraphDef.encode(graph).finish());
  }
}

/** Paths that a command opened, or tried to. */
async function opened(...args: string[]): Promise<Set<string>> {
  const trace = ['strace', '-f', '-e', 'trace=open,openat,openat2', '-s', '4096', '-o', at('trace')];
  await spawnCli([], { command: [...trace, process.execPath, MAIN, ...args] });
  const calls = readFileSync(at('trace'), 'utf8').matchAll(/open(?:at2?)?\((?:\w+, )?"((?:[^"\\]|\\.)*)"/g);
  return new Set(Array.from(calls, ([, path]) => resolve(path!)));
}

describe.skipIf(!has('strace'))('files that are opened (skipped without strace)', () => {
  it.each(ALL ? MODELS : [MODELS[1], MODELS[4]])(
    '%s: none outside of its folder, whatever it names',
    async (name, given, graphFile) => {
      const one = JSON.parse(readFileSync(join(FIXTURES, name, 'case.json'), 'utf8')) as { model: string };
      const [model, graph] = [given || one.model, graphFile || one.model];
      const folder = at('here');
      const fresh = () => {
        for (const each of [folder, at('secret')]) {
          rmSync(each, { recursive: true, force: true });
          cpSync(join(FIXTURES, name), each, { recursive: true });
        }
      };
      const runs = (command: string) => [command, join(folder, model), ...(command === 'freeze' ? ['--dry-run'] : [])];
      fresh();
      mkdirSync(at('out'), { recursive: true });
      for (const command of ALL ? ['freeze', 'check'] : ['freeze']) {
        const usual = await opened(...runs(command));
        expect([...usual].some((path) => path.startsWith(folder))).toBe(true);
        for (const outside of OUTSIDE.map((path) => path.replace('/SECRET', at('secret')))) {
          fresh();
          pointOutside(join(folder, graph), outside);
          if (existsSync(join(folder, 'checkpoint'))) {
            writeFileSync(join(folder, 'checkpoint'), `model_checkpoint_path: ${JSON.stringify(outside)}\n`);
          }
          const paths = [...(await opened(...runs(command)))];
          expect(
            paths.filter((path) => !path.startsWith(folder) && !usual.has(path) && !/^\/proc\//.test(path)),
          ).toEqual([]);
        }
      }
    },
  );
});
