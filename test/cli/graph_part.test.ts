import { expect, it } from 'vitest';
import { cli, fixture } from './support.js';

const REFUSED = ['freeze', fixture('no_statistics_113/model.meta'), '--dry-run'];

it('shows the graph around the node that an error is about, with -v', async () => {
  const { code, stdout, stderr } = await cli([...REFUSED, '-v']);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(/^# \d+ of \d+ nodes, around (\S+)\n(.*\n)*\1 = FusedBatchNorm\(.*is_training=true/m);
});

it('does not without', async () => {
  expect((await cli(REFUSED)).stderr).not.toContain(' nodes, around ');
});
