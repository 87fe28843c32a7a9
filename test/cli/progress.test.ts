import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { progressBar } from '../../src/cli/progress.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function drawn(isTTY: boolean): { stream: PassThrough & { isTTY: boolean }; text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY });
  return { stream, text: () => String(stream.read() ?? '') };
}

it('shows how far it is after half a second, ten times a second, and wipes itself away', () => {
  const { stream, text } = drawn(true);
  const bar = progressBar(stream, 'writing out.pb', 4_000_000);
  bar.update(1_000_000);
  expect(text()).toBe('');
  vi.advanceTimersByTime(600);
  bar.update(2_000_000);
  bar.update(2_100_000);
  expect(text()).toBe('\r\x1b[2Kwriting out.pb  [############............]  50 %  2.0 MB');
  vi.advanceTimersByTime(100);
  bar.update(9_000_000);
  expect(text()).toContain('] 100 %  9.0 MB');
  bar.end();
  expect(text()).toBe('\r\x1b[2K');
});

it('draws nothing when it is fast, or not on a terminal', () => {
  const fast = drawn(true);
  const bar = progressBar(fast.stream, 'writing', 10);
  bar.update(10);
  bar.end();
  expect(fast.text()).toBe('');
  const pipe = drawn(false);
  const none = progressBar(pipe.stream, 'writing', 10);
  vi.advanceTimersByTime(1000);
  none.update(5);
  none.end();
  expect(pipe.text()).toBe('');
});
