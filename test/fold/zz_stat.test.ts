import { expect, test } from 'vitest';
import { writeFileSync, mkdirSync } from 'node:fs';
import { load } from '../../src/load.js';
import { casesOf } from '../support/cases.js';
import { foldedModel } from './support.js';
test('stat', async () => {
  mkdirSync('/tmp/folded', { recursive: true });
  const lines = new Map<string, number>();
  for (const one of casesOf([3, 4])) {
    if (typeof one.expect !== 'string') continue;
    const model = await load(one.model, one.load);
    const { report, bytes } = foldedModel(model, one.freeze);
    model.close();
    writeFileSync(`/tmp/folded/${one.name}.pb`, bytes);
    for (const s of report.folded) {
      const key = `${s.form} ${s.action}: ${s.why.replace(/\b[\w./]*[/_][\w./]*\b/g, 'N')}`;
      lines.set(key, (lines.get(key) ?? 0) + 1);
      if (s.action==='kept') console.log(one.name, s.name, s.form, s.why);
    }
  }
  console.log([...lines].sort((a, b) => b[1] - a[1]).map(([k, n]) => `${n} ${k}`).join('\n'));
  expect(1).toBe(1);
});
