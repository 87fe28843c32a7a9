// Reads a file once and prints its CRC-32C: what checking every weight costs by itself.
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32c } from '../../dist/io/crc32c.js';

const file = openSync(process.argv[2]);
const buffer = Buffer.allocUnsafeSlow(2 * 1024 * 1024);
let crc = 0;
for (let got = readSync(file, buffer); got > 0; got = readSync(file, buffer))
  crc = crc32c(buffer.subarray(0, got), crc);
closeSync(file);
console.log(crc.toString(16));
