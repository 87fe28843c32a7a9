import { describe, expect, it } from 'vitest';
import { BnfixError } from '../../src/errors.js';
import { freeze } from '../../src/freezing/freeze.js';
import type { Graph } from '../../src/graph/graph.js';
import type { Model } from '../../src/graph/model.js';
import { refText } from '../../src/graph/node.js';
import { readBytes } from '../../src/graph/tensor.js';
import { load } from '../../src/load.js';
import type { Outcome } from '../../src/passes/outcome.js';
import { allCases, type Case } from '../support/cases.js';
import { swapTwins } from './swap_twins.js';

/**
 * The same net written with the twins of its ops (AddV2 for Add, Div for RealDiv, stateless random ops ...) has to become
 * the same: the same batch norms, flags and dropouts, the same graph, the same weights.
 */

/**
 * Of forms that several TensorFlows wrote, the last; of these every second, and all that are about random ops, flags or
 * divisions. BNFIX_TWINS=all takes every form.
 */
function representatives(): Case[] {
  const byForm = new Map(allCases().map((one) => [one.name.replace(/_\d{3}$/, ''), one]));
  const isTelling = ({ name }: Case) => /dropout|sync|flag|noise|renorm|debias/.test(name);
  return [...byForm.values()].filter(
    (one, index) => process.env.BNFIX_TWINS === 'all' || index % 2 === 0 || isTelling(one),
  );
}

/** What freezing made of a model, without the names of swapped ops; or how it was refused. */
function frozen(model: Model, one: Case, before: ReadonlyMap<string, string>): unknown {
  try {
    const { graph, report } = freeze(model, one.freeze);
    return {
      batchNorms: report.batchNorms.map(({ pattern: _, ...norm }) => norm),
      inputs: report.inputs,
      outputs: report.outputs,
      flags: report.flags,
      kept: report.kept,
      outcomes: report.outcomes.filter(({ kind }) => kind !== 'stripped').map(withoutOp),
      graph: linesOf(graph, renamed(before, report.outcomes)),
    };
  } catch (error) {
    if (!(error instanceof BnfixError) || error.code === 'internal') throw error;
    return { refused: error.code, where: error.where };
  }
}

/** The old ops by the names that nodes have in the end. */
function renamed(before: ReadonlyMap<string, string>, outcomes: readonly Outcome[]): ReadonlyMap<string, string> {
  const names = new Map(before);
  for (const outcome of outcomes) {
    if (outcome.kind !== 'renamed') continue;
    const op = names.get(outcome.node);
    if (op === undefined) names.delete(outcome.to);
    else names.set(outcome.to, op);
  }
  return names;
}

/** What was done, to ops of whatever name: counts of stripped nodes differ, as twins have more inputs. */
function withoutOp(outcome: Outcome): object {
  const { op: _, ...rest } = { op: '', ...outcome };
  return rest;
}

/** Ops that a node becomes, whatever it was. */
const MADE: ReadonlySet<string> = new Set(['Identity', 'Const', 'Placeholder']);

function linesOf(graph: Graph, before: ReadonlyMap<string, string>): string[] {
  const lines = [...graph.nodes()].map((node) => {
    const value = node.tensor
      ? Buffer.from(node.tensor.byteLength > 0 ? readBytes(node.tensor) : []).toString('base64')
      : '';
    const op = before.has(node.name) && !MADE.has(node.op) ? before.get(node.name) : node.op;
    const inputs = node.inputs.filter((ref) => !ref.node.includes('/twin_')).map(refText);
    return `${node.name} = ${op}(${inputs}) ${value}`;
  });
  return lines.filter((line) => !line.includes('/twin_')).sort();
}

describe.each(representatives())('$name', (one) => {
  it('becomes the same when its ops have twins', async () => {
    const model = await load(one.model, one.load);
    const swapped = await load(one.model, one.load);
    try {
      const before = swapTwins(swapped.graph);
      if (before.size === 0) return;
      expect(frozen(swapped, one, before)).toEqual(frozen(model, one, new Map()));
    } finally {
      model.close();
      swapped.close();
    }
  });
});
