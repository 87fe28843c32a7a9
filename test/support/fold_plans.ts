import { planIntoNext } from '../../src/analysis/folding/plan_into_next.js';
import { planIntoPrevious } from '../../src/analysis/folding/plan_into_previous.js';
import { planMulAdd } from '../../src/analysis/folding/plan_mul_add.js';
import { type FoldReason, isReason } from '../../src/analysis/folding/reasons.js';
import { findSites } from '../../src/analysis/folding/sites.js';
import type { FoldPlan, FoldStep, VectorOp } from '../../src/analysis/folding/steps.js';
import { findUnfoldable } from '../../src/analysis/folding/unfoldable.js';
import { FoldView } from '../../src/analysis/folding/view.js';
import type { Vector } from '../../src/analysis/values/vectors.js';
import type { Graph } from '../../src/graph/graph.js';
import { parseInput, refText } from '../../src/graph/node.js';
import type { CaseOptions } from './text_cases.js';

/** How each batch norm and product of a graph can be folded, or why not. */
export function foldPlans(graph: Graph, { outputs = [], keep = [] }: CaseOptions): string[] {
  const refs = outputs.map((name) => ({ node: parseInput(name).node, port: 0 }));
  const view = new FoldView({ graph, outputs: refs, isKept: (name) => keep.includes(name) });
  const sites = findSites(view).flatMap((site) => {
    const members = site.members.map(({ node }) => node.name).join(', ');
    const kind = site.batchNorms.map(({ pattern }) => pattern).join(', ') || 'arithmetic';
    return [
      `${members} of ${refText(site.x)} (${kind})`,
      ...planLines('into previous', planIntoPrevious(view, site)),
      ...planLines('into next', planIntoNext(view, site)),
      ...planLines('as arithmetic', planMulAdd(view, site)),
    ];
  });
  const others = findUnfoldable(view).map(({ name, pattern, reason }) => `${name} (${pattern}): ${reasonText(reason)}`);
  return [...sites, ...others];
}

function planLines(way: string, plan: FoldPlan | FoldReason | undefined): string[] {
  if (plan === undefined) return [`  ${way}: not cheaper`];
  if (isReason(plan)) return [`  ${way}: ${reasonText(plan)}`];
  return [`  ${way}:`, ...plan.steps.map((step) => `    ${stepText(step)}`)];
}

function reasonText({ code, ...parameters }: FoldReason): string {
  const values = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return values.length === 0 ? code : `${code} (${values.join(', ')})`;
}

function stepText(step: FoldStep): string {
  switch (step.kind) {
    case 'scale_kernel':
      return `${step.op} multiplies ${step.constant} by [${numbers(step.factor.values)}]`;
    case 'set_addend':
      return `${step.node} takes ${vector(step.addend)}`;
    case 'add_bias':
      return `${step.op} gets ${opText(step.bias)}`;
    case 'replace_site':
      return `${step.members.join(', ')} becomes ${step.by.map(opText).join(', ') || 'nothing'}`;
  }
}

function opText(op: VectorOp): string {
  return `${op.op}${op.op === 'BiasAdd' ? ` ${op.format}` : ''} ${vector(op.by)}`;
}

function vector({ shape, values }: Vector): string {
  return shape.length === 0
    ? numbers(values)
    : `[${numbers(values)}]${shape.length > 1 ? ` as [${shape.join(', ')}]` : ''}`;
}

function numbers(values: Float64Array): string {
  return [...values].map((x) => String(Math.round(x * 1e4) / 1e4)).join(', ');
}
