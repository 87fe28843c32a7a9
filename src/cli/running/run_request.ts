import type { Args } from '../args.js';
import { type DataRequest, dataRequest } from '../data/data_request.js';
import { type ModelRequest, modelRequest } from '../model_request.js';

/** The parsed arguments of `bnfix run`. */
export interface RunRequest extends ModelRequest {
  readonly data: DataRequest;
  /** Run the repaired graph instead of the saved one. */
  readonly repaired: boolean;
  /** The folder to write the fetched tensors to. */
  readonly save: string | undefined;
}

/** @throws BnfixError `usage` when a value is missing or cannot be read */
export function runRequest(args: Args): RunRequest {
  const request = modelRequest(args, 'bnfix run MODEL --input NAME=FILE --fetch TENSOR');
  return {
    ...request,
    freeze: { ...request.freeze, outputs: args.list('fetch') },
    data: dataRequest(args),
    repaired: args.flag('repaired'),
    save: args.string('save'),
  };
}
