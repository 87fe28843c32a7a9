import { basename } from 'node:path';
import { BnfixError } from '../errors.js';
import {
  type Destination,
  destinationOf,
  type FormatName,
  formatNamed,
  type Quantization,
  quantizationNamed,
  refuseOtherTarget,
} from '../formats/destination.js';
import { shellQuoted } from '../quoted.js';
import type { Args } from './args.js';
import { type ModelRequest, modelRequest } from './model_request.js';
import type { OptionTable } from './option.js';
import type { ResultVerification } from './verifying/result_verification.js';

/** The parsed arguments of `bnfix freeze`. */
export interface FreezeRequest extends ModelRequest {
  /** Where to write the result; its path is undefined in a dry run without -o. */
  readonly destination: Pick<Destination, 'format'> & Partial<Destination>;
  readonly quantize: Quantization | undefined;
  readonly force: boolean;
  /** Wait until the file is on disk. */
  readonly sync: boolean;
  /** Read the file again and compare. */
  readonly verifyWritten: boolean;
  readonly dryRun: boolean;
  /** How the result is verified before it is written, if it is. */
  readonly verification?: ResultVerification | undefined;
}

/** The flags of TensorFlow's freeze_graph, so that scripts only change one word. bnfix detects what the last ones say. */
export const FREEZE_GRAPH_OPTIONS: OptionTable = {
  input_meta_graph: { type: 'string', hidden: true, requiresArg: true },
  input_checkpoint: { type: 'string', hidden: true, requiresArg: true },
  input_graph: { type: 'string', hidden: true, requiresArg: true },
  input_saved_model_dir: { type: 'string', hidden: true, requiresArg: true },
  output_node_names: { type: 'string', array: true, hidden: true, requiresArg: true },
  output_graph: { type: 'string', hidden: true, requiresArg: true },
  input_binary: { type: 'string', hidden: true },
  clear_devices: { type: 'string', hidden: true },
  checkpoint_version: { type: 'string', hidden: true },
  restore_op_name: { type: 'string', hidden: true },
  filename_tensor_name: { type: 'string', hidden: true },
  initializer_nodes: { type: 'string', hidden: true },
};

/**
 * @param example - a correct command line, for the error
 * @throws BnfixError `usage` when a value is missing or contradicts another
 */
export function freezeRequest(args: Args, example?: string): FreezeRequest {
  const request = modelRequest(
    args,
    example ?? `bnfix ${args.given[0] === 'fold' ? 'fold' : 'freeze'} MODEL -o frozen.pb`,
  );
  const output = args.oneOf('output', 'output_graph');
  const dryRun = args.flag('dry-run');
  const format = args.string('format');
  const named = format === undefined ? 'pb' : formatNamed(format);
  if (output === undefined && !dryRun) throw noOutput(request.model, named);
  const destination = output === undefined ? { format: named } : destinationOf(output, format);
  refuseOtherTarget(args.string('target'), destination.format, format === undefined);
  if (output === '-' && args.flag('verify-written')) throw cannotVerifyStdout();
  return {
    ...request,
    destination,
    quantize: quantizationNamed(args.string('quantize'), destination.format),
    force: args.flag('force'),
    sync: args.flag('sync'),
    verifyWritten: args.flag('verify-written'),
    dryRun,
  };
}

/** A name for the result of a model. */
export function proposedName(model: string, format: FormatName = 'pb'): string {
  const name = basename(model).replace(/(\.meta|\.index|\.data-\d{5}-of-\d{5}|\.pbtxt|\.pb|\.ckpt)+$/, '');
  const isName = !/^\.*$/.test(name);
  switch (format) {
    case 'tfjs':
      return isName ? `${name}_web` : 'web';
    case 'saved_model':
      return isName ? `${name}_saved_model` : 'saved_model';
    case 'meta':
      return isName ? `${name}.fixed.meta` : 'fixed.meta';
    default: {
      const made = /frozen/i.test(name) ? 'fixed' : 'frozen';
      return isName ? `${name}.${made}.${format}` : `frozen.${format}`;
    }
  }
}

function noOutput(model: string, format: FormatName): BnfixError {
  const name = `-o ${shellQuoted(proposedName(model, format))}`;
  return new BnfixError('usage', 'no output file given', {
    where: '-o',
    fix: format === 'pb' ? `${name}   (or -o - for stdout, or --dry-run)` : `${name}   (or --dry-run)`,
  });
}

function cannotVerifyStdout(): BnfixError {
  return new BnfixError('usage', 'stdout cannot be read again', {
    where: '--verify-written',
    fix: '-o FILE, or leave out --verify-written and compare the sha256 of --json',
  });
}
