import { basename } from 'node:path';
import { BnfixError } from '../errors.js';
import { shellQuoted } from '../quoted.js';
import type { Args } from './args.js';
import { type ModelRequest, modelRequest } from './model_request.js';
import type { OptionTable } from './option.js';

/** The parsed arguments of `bnfix freeze`. */
export interface FreezeRequest extends ModelRequest {
  /** Where to write the result; `-` is stdout; undefined in a dry run without -o. */
  readonly output: string | undefined;
  readonly force: boolean;
  /** Wait until the file is on disk. */
  readonly sync: boolean;
  /** Read the file again and compare. */
  readonly verifyWritten: boolean;
  readonly dryRun: boolean;
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
  if (output === undefined && !dryRun) throw noOutput(request.model);
  if (output !== undefined) refuseOtherFormats(output);
  if (output === '-' && args.flag('verify-written')) throw cannotVerifyStdout();
  return {
    ...request,
    output,
    force: args.flag('force'),
    sync: args.flag('sync'),
    verifyWritten: args.flag('verify-written'),
    dryRun,
  };
}

/** A name for the result of a model. */
export function proposedName(model: string): string {
  const name = basename(model).replace(/(\.meta|\.index|\.data-\d{5}-of-\d{5}|\.pbtxt|\.pb|\.ckpt)+$/, '');
  return /^\.*$/.test(name) ? 'frozen.pb' : `${name}.${/frozen/i.test(name) ? 'fixed' : 'frozen'}.pb`;
}

function noOutput(model: string): BnfixError {
  return new BnfixError('usage', 'no output file given', {
    where: '-o',
    fix: `-o ${shellQuoted(proposedName(model))}   (or -o - for stdout, or --dry-run)`,
  });
}

function cannotVerifyStdout(): BnfixError {
  return new BnfixError('usage', 'stdout cannot be read again', {
    where: '--verify-written',
    fix: '-o FILE, or leave out --verify-written and compare the sha256 of --json',
  });
}

/** Extensions of formats other than GraphDef. */
const OTHER_FORMATS = /\.(onnx|tflite|h5|keras|json|meta|index|ckpt|npz|zip)$/i;

function refuseOtherFormats(output: string): void {
  const extension = OTHER_FORMATS.exec(output)?.[0];
  if (extension === undefined) return;
  throw new BnfixError('usage', `bnfix does not write ${extension} files`, {
    where: `-o ${output}`,
    why: 'the result is a frozen GraphDef: .pb (binary) or .pbtxt (text)',
    fix: `-o ${shellQuoted(`${output.slice(0, -extension.length)}.pb`)}`,
  });
}
