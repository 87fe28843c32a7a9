/**
 * A CommonJS file, and beside it what V8 made of it in an earlier run: reading that takes a fifth of the time that compiling takes,
 * which is a quarter of a short run.
 *
 * `FILE.cache` is V8's code cache, then a checksum (4 bytes, little-endian) of it, of the file and of the Node that wrote it. It
 * is used by that very Node alone: V8 takes caches of other builds that have its version, and crashes on some. Without a cache
 * that fits, the file is compiled.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { Script } from 'node:vm';
import * as zlib from 'node:zlib';

/** Runs a file as `require` does. @returns its exports */
export function loadCompiled(file: string): unknown {
  return evaluate(compile(file), file);
}

/** Writes the cache of a file: of all functions that have run when `use` is done with the exports. */
export async function writeCache(file: string, use: (exports: unknown) => Promise<unknown>): Promise<void> {
  const script = compile(file);
  await use(evaluate(script, file));
  const data = script.createCachedData();
  writeFileSync(`${file}.cache`, Buffer.concat([data, checksum(readFileSync(file), data)]));
}

/** @returns what evaluates to the function of the file; `cachedDataRejected` is false if it came out of the cache */
export function compile(file: string): Script {
  const source = readFileSync(file);
  const cachedData = readCache(file, source);
  // The cache keeps the name, for stacks, and is made elsewhere.
  const filename = basename(file);
  return new Script(wrapped(source.toString()), { filename, ...(cachedData && { cachedData }) });
}

/** The text of a CommonJS module as the function that it is. */
export function wrapped(text: string): string {
  return `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
}

function evaluate(script: Script, file: string): unknown {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

/** @returns the cache of a file, where there is one that this Node wrote for it */
export function readCache(file: string, source: Buffer): Buffer | undefined {
  // Node 22 has had it from 22.2 on.
  if (zlib.crc32 === undefined) return undefined;
  let bytes: Buffer;
  try {
    bytes = readFileSync(`${file}.cache`);
  } catch {
    return undefined;
  }
  const data = bytes.subarray(0, -4);
  return checksum(source, data).equals(bytes.subarray(-4)) ? data : undefined;
}

function checksum(source: Buffer, data: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE([thisNode(), source, data].reduce((crc, part) => zlib.crc32(part, crc), 0));
  return bytes;
}

/** Tells builds of Node apart, those of one version as well. */
function thisNode(): string {
  const { size, mtimeMs } = statSync(process.execPath);
  return JSON.stringify([process.versions, process.platform, process.arch, size, mtimeMs]);
}
