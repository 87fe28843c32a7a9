import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { junit } from '../../../src/cli/formats/junit.js';
import type { CheckReport } from '../../../src/diagnosis/check_report.js';
import { EXAMPLE, reports } from './reports.js';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Parses XML strictly: throws for whatever the standard does not allow. */
function parse(xml: string): Element {
  const parser = new SaxesParser();
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes, children: [], text: '' };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    open.at(-1)!.text += text;
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(xml).close();
  return root.children[0]!;
}

const written = (report: CheckReport) => parse(junit(report).join('\n'));

describe('junit', () => {
  it('has a test for each model', () => {
    const { name, attributes, children } = written(EXAMPLE);
    expect(name).toBe('testsuites');
    expect(attributes).toEqual({ name: 'bnfix check', tests: '3', failures: '1', errors: '1' });
    const [affected, warned, failed] = children[0]!.children;
    expect(affected!.attributes).toEqual({ name: 'models/a b.meta', classname: 'bnfix.check' });
    expect(affected!.children[0]).toMatchObject({
      name: 'failure',
      attributes: {
        message: 'AFFECTED 1 of 2 batch norms uses batch statistics at inference',
        type: 'training-batch-norm',
      },
      text: "training-batch-norm: conv1/bn: uses batch statistics at inference\nbnfix freeze 'models/a b.meta' -o 'models/a b.frozen.pb'",
    });
    expect(warned!.children.map((each) => [each.name, each.text])).toEqual([
      ['system-out', 'warning random-op: z: RandomNormal feeds an output, so results differ from run to run'],
    ]);
    expect(failed!.children[0]).toMatchObject({
      name: 'error',
      attributes: { message: '/data/x.pb is truncated', type: 'unreadable' },
      text: '/data/x.pb is truncated\nit ends at 5\ncopy it again',
    });
  });

  it('cannot be broken by names', () => {
    fc.assert(
      fc.property(reports, (report) => {
        const suite = written(report).children[0]!;
        const kinds = suite.children.map(({ children }) => children.map(({ name }) => name));
        expect(suite.children.map(({ name }) => name)).toEqual(report.models.map(() => 'testcase'));
        expect(kinds.flat().filter((kind) => kind === 'failure')).toHaveLength(report.summary.affected);
        expect(kinds.flat().filter((kind) => kind === 'error')).toHaveLength(report.summary.failed);
      }),
    );
  });
});
