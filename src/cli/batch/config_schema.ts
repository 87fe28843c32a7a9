import type { OptionTable } from '../option.js';
import { type EntryKey, entryKeys, type KeyKind } from './entry_keys.js';

const SCALAR = { type: ['string', 'number'] };
const TEXTS = { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } };
const VALUE = { type: ['string', 'number', 'boolean'] };

const TYPES: Readonly<Record<KeyKind, object>> = {
  flag: { type: 'boolean' },
  text: SCALAR,
  list: { anyOf: [{ type: 'string', minLength: 1 }, TEXTS] },
  record: {
    anyOf: [
      { type: 'object', additionalProperties: { anyOf: [VALUE, { type: 'array', minItems: 1, items: VALUE }] } },
      { type: 'string', minLength: 1 },
      TEXTS,
    ],
  },
};

/** Where editors find the schema. */
export const SCHEMA_ID = 'https://raw.githubusercontent.com/bnfix/bnfix/main/docs/config.schema.json';

/** The JSON schema of a config, for editors: docs/config.schema.json. @param options - those of fold, which has all of freeze */
export function configSchema(options: OptionTable): object {
  const ofModel = Object.fromEntries([...entryKeys(options)].map(([key, entry]) => [key, propertyOf(entry)]));
  const shared = { ...ofModel, fold: FOLD };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: SCHEMA_ID,
    title: 'bnfix.config.json',
    description: 'Models for bnfix freeze --config. Paths are relative to the folder of this file.',
    type: 'object',
    additionalProperties: false,
    required: ['models'],
    properties: {
      $schema: { description: 'This schema.', type: 'string' },
      defaults: {
        description: 'Options of all models, unless a model has its own.',
        type: 'object',
        additionalProperties: false,
        properties: shared,
      },
      models: { description: 'The models.', type: 'array', minItems: 1, items: { $ref: '#/$defs/Model' } },
    },
    $defs: {
      Model: {
        description: 'A model and its options, named as on the command line.',
        type: 'object',
        additionalProperties: false,
        required: ['model', 'output'],
        properties: {
          model: { description: 'Any file of the model, or its folder.', type: 'string', minLength: 1 },
          output: { description: 'What to write.', type: 'string', minLength: 1 },
          ...shared,
        },
      },
    },
  };
}

const FOLD = { description: 'Also fold the batch norms into the weights.', type: 'boolean' };

function propertyOf({ option, kind }: EntryKey): object {
  const { describe = '', choices } = option;
  const description = `${describe.slice(0, 1).toUpperCase()}${describe.slice(1)}.`;
  return { description, ...(choices && kind === 'text' ? { enum: choices } : TYPES[kind]) };
}
