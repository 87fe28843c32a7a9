import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tfjs } from './tfjs.js';

/** A node as a kernel receives it; string attrs are in lower case. */
export interface Call {
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** Computes the outputs of a node; intermediate tensors are disposed of. */
export type Kernel = (tf: Tfjs['core'], call: Call) => Tensor | Tensor[];

/** A number attr of a call. */
export function numberAttr(call: Call, key: string, fallback: number): number {
  const value = call.attrs[key];
  return typeof value === 'number' ? value : fallback;
}

/** A bool attr of a call. */
export function boolAttr(call: Call, key: string, fallback: boolean): boolean {
  const value = call.attrs[key];
  return typeof value === 'boolean' ? value : fallback;
}

/** A string attr, in lower case. */
export function stringAttr(call: Call, key: string, fallback: string): string {
  const value = call.attrs[key];
  return typeof value === 'string' ? value : fallback;
}

/** A number-list attr of a call; empty if absent. */
export function numbersAttr(call: Call, key: string): number[] {
  const value = call.attrs[key];
  return Array.isArray(value) ? value.filter((item): item is number => typeof item === 'number') : [];
}
