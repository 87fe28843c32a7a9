import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writePng } from '../../src/cli/data/image.js';
import { flagText } from '../../src/cli/flags.js';
import { analyse } from '../../src/freezing/analyse.js';
import { fold } from '../../src/freezing/fold.js';
import type { Graph } from '../../src/graph/graph.js';
import { pageOf } from '../../src/page/page.js';
import type { PageData, VerificationData } from '../../src/page/page_data.js';
import { pageDataOf } from '../../src/page/page_data_of.js';
import type { Comparison } from '../../src/proof/compare.js';
import type { Proof } from '../../src/proof/report.js';
import { cli } from '../cli/support.js';
import { modelOf } from '../support/model.js';
import { viewNames } from '../support/view_names.js';

/** A folder that is removed after the tests of a file. */
export function folderForTests(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'bnfix page '));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Makes a page by the command line. @returns its path */
export async function pageBy(
  command: string,
  model: string,
  path: string,
  ...args: readonly string[]
): Promise<string> {
  const dryRun = command === 'inspect' || command === 'verify' ? [] : ['--dry-run'];
  const { code, stderr } = await cli([command, model, ...dryRun, ...args, '-q', '--html', path]);
  if (code !== 0) throw new Error(stderr);
  return path;
}

/** What stands for a name in {@link hostilePage}. */
export const NAME = 'NAME';

const COMPARED: Comparison = {
  tensor: NAME,
  shape: [1, 8, 8, 1],
  maxError: 1,
  meanError: 0.5,
  magnitude: 1,
  sameTop: undefined,
  isWithin: false,
};

/** A verification that failed, with names in every place. */
const HOSTILE_VERIFICATION: VerificationData = {
  report: {
    inputs: [{ name: NAME, dtype: NAME, shape: [1, 8, 8, 1], isRandom: true }],
    outputs: [NAME],
    without: [{ node: NAME, op: NAME }],
    tolerance: { atol: 1e-6, rtol: 1e-4 },
    proofs: [
      { name: 'batch_independence', status: 'failed', saved: [COMPARED], firstDifference: COMPARED },
      { name: 'substitution', status: 'failed', unexplained: [NAME] },
      { name: 'statistics', status: 'skipped', reason: { code: 'in_loop', node: NAME } },
      {
        name: 'folding',
        status: 'skipped',
        reason: { code: 'cannot_run', message: NAME, where: NAME, why: NAME },
      },
    ].map((proof) => ({
      reason: undefined,
      outputs: [COMPARED],
      saved: [],
      firstDifference: undefined,
      savedFlags: { [NAME]: true },
      layer: NAME,
      after: NAME,
      rewired: { reads: NAME, insteadOf: NAME },
      unexplained: [],
      ...(proof as Pick<Proof, 'name' | 'status'>),
    })),
    layers: [{ name: NAME, tensor: NAME, x: 1, before: 2, after: 3, expected: 4, error: COMPARED }],
    passed: false,
  },
  examples: [
    {
      example: 0,
      pictures: [
        {
          tensor: NAME,
          role: 'after',
          range: { black: 0, white: 1 },
          width: 8,
          height: 8,
          uri: `data:image/png;base64,${Buffer.from(writePng(8, 8, 1, new Uint8Array(64))).toString('base64')}`,
        },
      ],
    },
  ],
};

/**
 * Makes a page with names that neither the reader nor the analysis lets through: pages do not rely on them.
 * @param graph - with {@link NAME} in place of them
 */
export function hostilePage(graph: Graph, output: string, path: string, name: string): string {
  const outputs = [output];
  const model = { ...modelOf(graph), name: `${NAME}.pb` };
  const folded = fold(model, { outputs });
  const file = { path: NAME, sha256: undefined };
  const data = pageDataOf(analyse(model, { outputs }), {
    command: { name: 'fold', line: `bnfix fold ${NAME}`, versions: [NAME], read: [file] },
    result: { graph: folded.graph, report: folded.report, written: file },
    verification: HOSTILE_VERIFICATION,
  });
  const whole = { ...data.graph, names: viewNames(data.graph), shared: data.graph.names.map(() => 0) };
  writeFileSync(path, pageOf(renamed({ ...data, graph: whole }, name) as PageData, flagText));
  return path;
}

function renamed(value: unknown, name: string): unknown {
  if (typeof value === 'string') return value.replaceAll(NAME, () => name);
  if (Array.isArray(value)) return value.map((each) => renamed(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, name)]));
}
