import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8'));

/**
 * What is wrong with a value by a schema in docs/, which may refer to report.schema.json.
 * @param part - one of its definitions; default: the whole schema
 */
export function schemaFaults(name: string, part?: string): (value: unknown) => string[] {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const schema = read(name);
  if (name !== 'report.schema.json') ajv.addSchema(read('report.schema.json'));
  ajv.addSchema(schema);
  const validate = ajv.getSchema(part === undefined ? schema.$id : `${schema.$id}#/$defs/${part}`)!;
  return (value) => {
    if (validate(value)) return [];
    return validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
