import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statePrefixes } from '../../src/locate/checkpoint_state.js';
import { type LocateOptions, locateCheckpoint, locateModel } from '../../src/locate/locate.js';
import { tensorflow } from '../../src/proto/tensorflow.js';
import { floats, writeBundle, writeV1 } from '../readers/checkpoint/write_table.js';
import { failure } from '../support/failure.js';

const graph = { node: [{ name: 'x', op: 'Placeholder' }] };
const META = tensorflow.MetaGraphDef.encode({
  meta_info_def: { tensorflow_version: '1.13.2' },
  graph_def: graph,
}).finish();
const GRAPH = tensorflow.GraphDef.encode(graph).finish();
const SAVED_MODEL = tensorflow.SavedModel.encode({
  saved_model_schema_version: 1,
  meta_graphs: [{ graph_def: graph }],
}).finish();
const V1 = writeV1([floats('w', [1])], () => ({ float_val: [1] }));
const LFS = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'locate '));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Puts files into the temporary folder; it has a space in its name. */
function put(files: Record<string, string | Uint8Array>): void {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(`${root}/${name}`), { recursive: true });
    writeFileSync(`${root}/${name}`, contents);
  }
}

/** The .index and .data of a V2 checkpoint. */
function v2(prefix: string): Record<string, Uint8Array> {
  return Object.fromEntries(writeBundle(prefix, [floats('w', [1])]));
}

const state = (path: string) => `model_checkpoint_path: "${path}"\nall_model_checkpoint_paths: "${path}"\n`;

/** What naming something in the temporary folder leads to, relative to it. */
function locate(named: string, options: LocateOptions = {}) {
  const there = (path: string | undefined) => (path === undefined ? undefined : `${root}/${path}`);
  const found = locateModel(`${root}/${named}`, { checkpoint: there(options.checkpoint) });
  const { checkpoint } = found;
  return [
    relative(root, found.graph).replaceAll(sep, '/'),
    found.graphKind,
    checkpoint?.format,
    checkpoint?.prefix.slice(root.length + 1),
  ];
}

const locateFailure = (named: string, options?: LocateOptions) => {
  const { code, message, why, fix } = failure(() => locate(named, options));
  const short = (text?: string) => text?.replaceAll(`${root}/`, '').replaceAll(root, '.');
  return { code, message: short(message), why: short(why), fix: short(fix) };
};

describe('a model with a V2 checkpoint', () => {
  const expected = ['m 1.ckpt-7.meta', 'meta_graph', 'V2', 'm 1.ckpt-7'];

  it.each(['m 1.ckpt-7.meta', 'm 1.ckpt-7.index', 'm 1.ckpt-7.data-00000-of-00001', 'm 1.ckpt-7', 'checkpoint', ''])(
    'is found by "%s"',
    (named) => {
      put({ ...v2('m 1.ckpt-7'), 'm 1.ckpt-7.meta': META, checkpoint: state('m 1.ckpt-7') });
      expect(locate(named)).toEqual(expected);
      expect(locateCheckpoint(`${root}/${named}`)).toMatchObject({
        format: 'V2',
        prefix: `${root}/m 1.ckpt-7`,
        index: `${root}/m 1.ckpt-7.index`,
      });
    },
  );

  it.each(['', '.meta', '.index', '.data-00000-of-00001'])('with an empty basename is found by "d/%s"', (name) => {
    put({ ...v2('d/'), 'd/.meta': META });
    expect(locate(`d/${name}`)).toEqual(['d/.meta', 'meta_graph', 'V2', 'd/']);
    expect(locate('d')).toEqual(['d/.meta', 'meta_graph', 'V2', 'd/']);
  });

  it('is found from the working folder', () => {
    put({ ...v2('m'), 'm.meta': META, ...v2('e/'), 'e/.meta': META });
    const before = process.cwd();
    try {
      process.chdir(root);
      for (const named of ['.', 'm', 'm.meta', './m.index'])
        expect(locateModel(named).checkpoint?.index).toMatch(/^(\.\/)?m\.index$/);
      process.chdir('e');
      for (const named of ['.', '.meta', './']) expect(locateModel(named).checkpoint?.index).toBe('./.index');
    } finally {
      process.chdir(before);
    }
  });

  it('asks where a folder with a model has the same name', () => {
    put({ ...v2('m'), 'm.meta': META, ...v2('m/other'), 'm/other.meta': META });
    expect(locateFailure('m')).toMatchObject({ code: 'usage', fix: 'name one: m/, m.meta' });
    expect(locate('m.meta')).toEqual(['m.meta', 'meta_graph', 'V2', 'm']);
    expect(locate('m/')).toEqual(['m/other.meta', 'meta_graph', 'V2', 'm/other']);
  });

  it('may have its graph in text form', () => {
    put({ ...v2('m'), 'graph.pbtxt': 'node { name: "x" op: "Placeholder" }', 'm.meta': 'graph_def { }' });
    expect(locate('m')).toEqual(['m.meta', 'meta_graph_text', 'V2', 'm']);
    expect(locate('graph.pbtxt')).toEqual(['graph.pbtxt', 'graph_text', 'V2', 'm']);
  });
});

describe('a model with a V1 checkpoint', () => {
  it.each(['model.ckpt', 'model.ckpt.meta', 'checkpoint', ''])('is found by "%s"', (named) => {
    put({ 'model.ckpt': V1, 'model.ckpt.meta': META, checkpoint: state('/elsewhere/model.ckpt') });
    expect(locate(named)).toEqual(['model.ckpt.meta', 'meta_graph', 'V1', 'model.ckpt']);
  });

  it.each(['m-00000-of-00002', 'm-00001-of-00002', 'm.meta', 'm', 'checkpoint', ''])(
    'in shards is found by "%s"',
    (named) => {
      put({ 'm-00000-of-00002': V1, 'm-00001-of-00002': V1, 'm.meta': META, checkpoint: state('m-?????-of-00002') });
      expect(locate(named)).toEqual(['m.meta', 'meta_graph', 'V1', 'm']);
      expect(locateCheckpoint(`${root}/${named}`).index).toBe(`${root}/m-00000-of-00002`);
      rmSync(`${root}/checkpoint`);
      if (named !== 'checkpoint') expect(locate(named)).toEqual(['m.meta', 'meta_graph', 'V1', 'm']);
    },
  );
});

describe('the state file', () => {
  it.each([
    ['a relative path', 'model.ckpt-3', ['model.ckpt-3']],
    ['a path in a folder', 'sub/model.ckpt-3', ['sub/model.ckpt-3', 'model.ckpt-3']],
    ['an absolute path', '/home/ann/run/model.ckpt-3', ['model.ckpt-3']],
    ['an empty basename', '/home/ann/run/', ['']],
    ['a path of Windows', 'C:\\\\runs\\\\2018\\\\model.ckpt-3', ['model.ckpt-3']],
    ['backslashes that were typed', 'C:\\runs\\model.ckpt-3', ['model.ckpt-3']],
    ['the files of a sharded V1 checkpoint', '/x/model-?????-of-00004', ['model']],
  ])('with %s', (_, path, prefixes) => {
    expect(statePrefixes(state(path)).inside).toEqual(prefixes);
  });

  it.each([
    ['a number after a backslash', 'C:\\runs\\20180402', '20180402'],
    ['UTF-8 as octal escapes', 'mod\\303\\250le', 'modèle'],
    ['UTF-8 as it is', 'modèle', 'modèle'],
    ['an escaped quote', 'a\\"b', 'a"b'],
  ])('with %s', (_, path, prefix) => {
    expect(statePrefixes(state(path)).inside).toContain(prefix);
  });

  it('without a path', () => {
    expect(statePrefixes('all_model_checkpoint_paths: "a"').inside).toEqual([]);
    expect(statePrefixes("model_checkpoint_path: 'a'").inside).toEqual(['a']);
  });

  it('decides between several checkpoints', () => {
    put({ ...v2('m-1'), ...v2('m-2'), 'm-1.meta': META, 'm-2.meta': META, checkpoint: state('C:\\\\runs\\\\m-1') });
    expect(locate('')).toEqual(['m-1.meta', 'meta_graph', 'V2', 'm-1']);
    expect(locate('m-2')).toEqual(['m-2.meta', 'meta_graph', 'V2', 'm-2']);
  });

  it('that is stale gives way to the only checkpoint there is', () => {
    put({ ...v2('m-9'), 'm-9.meta': META, checkpoint: state('m-1') });
    expect(locate('')).toEqual(['m-9.meta', 'meta_graph', 'V2', 'm-9']);
    expect(locate('checkpoint')).toEqual(['m-9.meta', 'meta_graph', 'V2', 'm-9']);
  });

  it('that is stale beside several checkpoints decides nothing', () => {
    put({ ...v2('m-8'), ...v2('m-9'), 'm-9.meta': META, checkpoint: state('m-1') });
    for (const named of ['', 'checkpoint']) {
      expect(locateFailure(named)).toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/^2 checkpoints in \.?/),
        why: 'checkpoint names none of them',
        fix: 'name one: m-8, m-9',
      });
    }
  });

  it.each([
    ['../a/m', ['m'], '../a/m'],
    ['a/../../m', ['m'], 'a/../../m'],
    ['..\\\\m', ['m'], '..\\m'],
    ['a/../m', ['m'], undefined],
    ['./m', ['m'], undefined],
    ['..', [], '..'],
    ['/m', ['m'], '/m'],
  ])('with %s: %j', (path, inside, outside) => {
    expect(statePrefixes(state(path))).toEqual({ inside, outside });
  });

  it('of 2,000,000 empty lines is read in linear time', () => {
    const text = `model_checkpoint_paths: ""${'\n'.repeat(2_000_000)}x`;
    expect(statePrefixes(text).inside).toEqual([]);
  });

  it('is reported to be protected from being overwritten', () => {
    put({ ...v2('m'), 'm.meta': META, checkpoint: state('m') });
    expect(locateModel(root).checkpoint?.state).toBe(`${root}/checkpoint`);
    expect(locateModel(`${root}/m`).checkpoint?.state).toBeUndefined();
  });

  it.each([
    ['..', '../other/m'],
    ['folders and ..', 'x/../../other/m'],
    ['an absolute path', 'ROOT/other/m'],
  ])('does not lead out of its folder by %s', (_, path) => {
    const named = state(path.replace('ROOT', root));
    put({ ...v2('other/m'), 'other/m.meta': META, 'here/g.meta': META, 'here/checkpoint': named });
    const refused = locateFailure('here');
    expect(refused).toMatchObject({
      code: 'unreadable',
      message: 'here/checkpoint names a checkpoint outside of its folder',
      why: expect.stringMatching(
        /^it leads to (here.*|other\/m); files outside of here are read only if you name them$/,
      ),
      fix: expect.stringMatching(/^checkpoint: (here.*|other\/m) {2}reads that checkpoint$/),
    });
    // Also when there is another checkpoint that it does not mean.
    put(v2('here/n'));
    expect(locateFailure('here').message).toBe(refused.message);
    expect(locateFailure('here/checkpoint').message).toBe(refused.message);
    expect(locate('here', { checkpoint: 'other/m' })).toEqual(['here/g.meta', 'meta_graph', 'V2', 'other/m']);
    // A checkpoint of that name in its own folder is what was meant before the folder was moved.
    put(v2('here/m'));
    expect(locate('here')).toEqual(['here/g.meta', 'meta_graph', 'V2', 'here/m']);
  });

  it('may lead back into its folder', () => {
    put({ ...v2('here/sub/m'), 'here/sub/m.meta': META });
    for (const path of ['../here/sub/m', `${root}/here/sub/m`]) {
      put({ 'here/checkpoint': state(path) });
      expect(locate('here')[2]).toBe('V2');
    }
  });

  it.skipIf(process.platform === 'win32').each([
    ['a folder', 'other', 'here/link', 'link/m'],
    ['the index', 'other/m.index', 'here/m.index', 'm'],
    ['the data', 'other/m.data-00000-of-00001', 'here/m.data-00000-of-00001', 'm'],
    ['the graph', 'other/m.meta', 'here/m.meta', 'm'],
  ])('does not lead out of its folder by a symbolic link to %s', (_, target, link, path) => {
    put({ ...v2('other/m'), 'other/m.meta': META, 'here/checkpoint': state(path) });
    if (link !== 'here/link') {
      put({ ...v2('here/m'), 'here/m.meta': META });
      rmSync(`${root}/${link}`);
    }
    symlinkSync(`${root}/${target}`, `${root}/${link}`);
    expect(locateFailure('here')).toMatchObject({
      code: 'unreadable',
      message: 'here/checkpoint names a checkpoint outside of its folder',
    });
    // Named on purpose.
    expect(locateCheckpoint(`${root}/here/${path}`).format).toBe('V2');
  });

  it.skipIf(process.platform === 'win32')('is found beside links that lead in a circle', () => {
    put({ ...v2('here/m'), 'here/m.meta': META });
    symlinkSync('b', `${root}/here/a`);
    symlinkSync('a', `${root}/here/b`);
    expect(locate('here')).toEqual(['here/m.meta', 'meta_graph', 'V2', 'here/m']);
  });

  it.skipIf(process.platform === 'win32')('may be reached by a link itself', () => {
    put({ ...v2('real/m'), 'real/m.meta': META, 'real/checkpoint': state('m') });
    symlinkSync(`${root}/real`, `${root}/link`);
    expect(locate('link')).toEqual(['link/m.meta', 'meta_graph', 'V2', 'link/m']);
  });

  it('that leads outside does not matter to a frozen graph next to it', () => {
    put({ ...v2('other/m'), 'here/frozen.pb': GRAPH, 'here/checkpoint': state('../other/m') });
    expect(locate('here/frozen.pb')).toEqual(['here/frozen.pb', 'graph_def', undefined, undefined]);
    // Values of another checkpoint are not guessed in its place.
    put(v2('here/n'));
    expect(locate('here/frozen.pb')).toEqual(['here/frozen.pb', 'graph_def', undefined, undefined]);
  });

  it('of 17 MiB is none', () => {
    put({ checkpoint: state('m') + ' '.repeat(17 * 2 ** 20) });
    expect(locateFailure('checkpoint')).toMatchObject({
      code: 'unreadable',
      message: 'checkpoint is too large for a checkpoint state file',
    });
  });

  it('that names nothing there is reported', () => {
    put({ checkpoint: state('/tmp/x/m-1') });
    expect(locateFailure('checkpoint')).toMatchObject({
      code: 'unreadable',
      message: 'the checkpoint that checkpoint names is missing',
      why: 'm-1 is not in ., and no other checkpoint is',
    });
  });
});

describe('a SavedModel', () => {
  it.each(['', 'saved_model.pb', 'variables', 'variables/variables', 'variables/variables.index'])(
    'is found by "%s"',
    (named) => {
      put({ ...v2('variables/variables'), 'saved_model.pb': SAVED_MODEL });
      expect(locate(named)).toEqual(['saved_model.pb', 'saved_model', 'V2', 'variables/variables']);
      expect(locateCheckpoint(`${root}/${named}`).prefix).toBe(`${root}/variables/variables`);
    },
  );

  it('may be in text form, and without variables', () => {
    put({ 'saved_model.pbtxt': 'saved_model_schema_version: 1' });
    expect(locate('')).toEqual(['saved_model.pbtxt', 'saved_model_text', undefined, undefined]);
  });
});

describe('a graph and a checkpoint of different names', () => {
  it('belong together where each is the only one', () => {
    put({ ...v2('m-100'), 'm-0.meta': META });
    for (const named of ['m-100', 'm-0.meta', 'm-0', ''])
      expect(locate(named)).toEqual(['m-0.meta', 'meta_graph', 'V2', 'm-100']);
  });

  it('do not where the graph may be one of several', () => {
    put({ ...v2('m-100'), 'm-0.meta': META, 'm-1.meta': META });
    expect(locateFailure('m-100.index')).toEqual({
      code: 'usage',
      message: '2 files may be the graph of m-100',
      why: 'the choice is ambiguous',
      fix: 'name one: m-0.meta, m-1.meta\ncheckpoint: PREFIX  names the checkpoint',
    });
  });

  it('do not where the checkpoint has a graph of its own: values are not guessed', () => {
    put({ ...v2('m-100'), 'm-100.meta': META, 'm-0.meta': META });
    expect(locate('m-0.meta')).toEqual(['m-0.meta', 'meta_graph', undefined, undefined]);
  });

  it('are found through the state file where the graph is no .meta', () => {
    put({ ...v2('m-1'), ...v2('m-2'), 'graph.pb': GRAPH, checkpoint: state('m-2') });
    expect(locate('graph.pb')).toEqual(['graph.pb', 'graph_def', 'V2', 'm-2']);
    rmSync(`${root}/checkpoint`);
    expect(locate('graph.pb')).toEqual(['graph.pb', 'graph_def', undefined, undefined]);
    expect(locate('m-1')).toEqual(['graph.pb', 'graph_def', 'V2', 'm-1']);
  });

  it('do not where the only index beside a .pb is none', () => {
    put({ 'old.index': 'of an earlier run', 'graph.pb': GRAPH });
    expect(locate('graph.pb')).toEqual(['graph.pb', 'graph_def', undefined, undefined]);
    // One that has its name is said to be corrupt.
    put({ 'graph.index': 'of an earlier run' });
    expect(locate('graph.pb')).toEqual(['graph.pb', 'graph_def', 'V2', 'graph']);
  });

  it('are given by the options', () => {
    put({ ...v2('a'), 'a.meta': META, ...v2('d/b'), 'd/b.meta': META, checkpoint: state('a') });
    for (const checkpoint of ['d/b', 'd/b.index', 'd', 'd/b.meta', 'd/b.data-00000-of-00001']) {
      for (const named of ['a.meta', 'a', 'a.index']) {
        expect(locate(named, { checkpoint })).toEqual(['a.meta', 'meta_graph', 'V2', 'd/b']);
      }
      expect(locate('', { checkpoint })).toEqual(['a.meta', 'meta_graph', 'V2', 'd/b']);
    }
  });

  it('the option decides between several checkpoints of the folder that is named', () => {
    put({ ...v2('m-1'), ...v2('m-2'), 'm-1.meta': META, 'm-2.meta': META });
    expect(locate('', { checkpoint: 'm-2' })).toEqual(['m-2.meta', 'meta_graph', 'V2', 'm-2']);
  });
});

describe('what is not a model', () => {
  it('a frozen graph needs no checkpoint', () => {
    put({ 'frozen.pb': GRAPH });
    for (const named of ['frozen.pb', ''])
      expect(locate(named)).toEqual(['frozen.pb', 'graph_def', undefined, undefined]);
  });

  it('a temporary file of another run is no checkpoint', () => {
    put({ 'frozen.pb': GRAPH, '.bnfix-0-0-1-2-3.tmp': V1 });
    expect(locate('frozen.pb')).toEqual(['frozen.pb', 'graph_def', undefined, undefined]);
  });

  it('several checkpoints and no state file: all are listed, none is taken', () => {
    put({ ...v2('m-8'), ...v2('m-9'), 'm-8.meta': META, 'm-9.meta': META });
    expect(locateFailure('')).toEqual({
      code: 'usage',
      message: '2 checkpoints in ./'.replace('./', ''),
      why: 'the folder has no state file that names one',
      fix: 'name one: m-8, m-9',
    });
  });

  it('a path at which there is nothing: names that are near', () => {
    put({ ...v2('model.ckpt-100'), 'model.ckpt-100.meta': META });
    expect(locateFailure('model.ckpt-10')).toEqual({
      code: 'unreadable',
      message: 'model.ckpt-10 not found',
      why: undefined,
      fix: 'did you mean model.ckpt-100?',
    });
    expect(locateFailure('model.ckpt-10.meta').fix).toContain('model.ckpt-100.meta');
    expect(locateFailure('zzzzzzzz').fix).toBe('models here: model.ckpt-100.meta');
    expect(locateFailure('no/where').why).toBe('folder no not found');
    expect(locateFailure('model.ckpt-100', { checkpoint: 'model.ckpt-99' }).message).toBe('model.ckpt-99 not found');
  });

  it('an empty folder, or one without a graph', () => {
    put({ 'd/readme.txt': 'hello', ...v2('e/m') });
    expect(locateFailure('d')).toMatchObject({ code: 'unreadable', message: 'no model in d' });
    put({ 'd/net.xml': '<?xml version="1.0"?>\n<net name="m" version="11">' });
    expect(locateFailure('d').message).toBe('d/net.xml is an OpenVINO model, already converted');
    expect(locateFailure('e')).toMatchObject({ code: 'unreadable', message: 'no graph found for e/m' });
    expect(failure(() => locateCheckpoint(`${root}/d`)).message).toBe(`no checkpoint found in ${root}/d`);
  });

  it('a data file without its index', () => {
    put({ 'm.data-00000-of-00001': new Uint8Array(9), 'm.meta': META });
    expect(locateFailure('m.data-00000-of-00001')).toMatchObject({ code: 'unreadable', message: 'm.index is missing' });
    expect(locate('m')).toEqual(['m.meta', 'meta_graph', undefined, undefined]);
  });

  it.skipIf(process.platform === 'win32')('a named pipe or a device is refused without waiting for its writer', () => {
    put({ ...v2('m'), 'm.meta': META });
    execFileSync('mkfifo', [`${root}/pipe`]);
    const refused = { code: 'unreadable', message: 'pipe is a named pipe, not a file' };
    expect(locateFailure('pipe')).toMatchObject(refused);
    expect(locateFailure('m', { checkpoint: 'pipe' })).toMatchObject(refused);
    expect(failure(() => locateModel('/dev/zero')).message).toBe('/dev/zero is a device, not a file');
  });

  it('a file of another kind is named', () => {
    put({ 'm.meta': LFS, ...v2('m'), 'a.zip': 'PK\x03\x04', 'page.pb': '<!doctype html>', 'x.bin': 'what?' });
    for (const named of ['m.meta', 'm', 'm.index']) {
      expect(locateFailure(named).message).toBe('m.meta is a Git LFS pointer, not the file itself');
    }
    expect(locateFailure('a.zip').message).toBe('a.zip is a zip archive');
    expect(locateFailure('page.pb').message).toBe('page.pb is a web page that was downloaded in place of the file');
    expect(locateFailure('x.bin').message).toBe('x.bin is a text file, not a graph');
  });
});
