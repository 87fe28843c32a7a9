import { BnfixError } from '../errors.js';

/** The error for an argument after the model: it may be a file to write, or a checkpoint. */
export function unexpectedArgument(argument: string): BnfixError {
  const isCheckpoint = /\.(index|ckpt|data-\d{5}-of-\d{5})(-\d+)?$/.test(argument);
  const isGraph = /\.(meta|pbtxt)$/.test(argument);
  const checkpoint = { option: 'checkpoint', value: argument, text: 'takes the weights from there' };
  const output = { option: 'output', value: argument, text: 'writes there' };
  return new BnfixError('usage', `unexpected argument ${argument}`, {
    why: 'a command takes one model',
    fix: isCheckpoint ? [checkpoint] : isGraph ? ['run the command once for each model'] : [output, checkpoint],
  });
}
