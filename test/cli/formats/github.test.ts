import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { github } from '../../../src/cli/formats/github.js';
import { EXAMPLE, reportOf, reports } from './reports.js';

/** What GitHub's runner makes of a line. */
function annotationOf(line: string) {
  const match = /^::(error|warning) file=([^,:]*),title=([^,:]*)::(.*)$/su.exec(line);
  const data = (text: string) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
  const property = (text: string) => data(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
  return (
    match && { command: match[1], file: property(match[2]!), title: property(match[3]!), message: data(match[4]!) }
  );
}

describe('github', () => {
  it('annotates each rule and model, with the command that repairs it', () => {
    expect(github(EXAMPLE).map(annotationOf)).toEqual([
      {
        command: 'error',
        file: 'models/a b.meta',
        title: 'bnfix check: training-batch-norm',
        message:
          "conv1/bn: uses batch statistics at inference\nbnfix freeze 'models/a b.meta' -o 'models/a b.frozen.pb'",
      },
      {
        command: 'warning',
        file: 'gan.onnx',
        title: 'bnfix check: random-op',
        message: 'z: RandomNormal feeds an output, so results differ from run to run',
      },
      {
        command: 'error',
        file: '/data/x.pb',
        title: 'bnfix check: unreadable',
        message: '/data/x.pb is truncated\nfix: copy it again',
      },
    ]);
  });

  it('shows three findings of a rule', () => {
    const [model] = EXAMPLE.models;
    const findings = [1, 2, 3, 4, 5].map((i) => ({ ...model!.findings[0]!, node: `bn${i}` }));
    const [line] = github(reportOf([{ ...model!, findings, repair: undefined }]));
    expect(annotationOf(line!)?.message).toBe(
      `${[1, 2, 3].map((i) => `bn${i}: uses batch statistics at inference\n`).join('')}and 2 more`,
    );
  });

  it('cannot be broken by names', () => {
    fc.assert(
      fc.property(reports, (report) => {
        for (const line of github(report)) {
          expect(line).not.toMatch(/[\r\n]/);
          expect(annotationOf(line)).toBeTruthy();
        }
      }),
    );
  });
});
