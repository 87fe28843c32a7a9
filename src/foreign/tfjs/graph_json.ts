import protobuf from 'protobufjs/light.js';
import descriptor from '../../proto/descriptor.js';
import { isObject, type Json, type JsonObject } from './model_json.js';

/** Messages in each other: protobuf itself does not read more. */
const MAX_DEPTH = 100;

/**
 * The binary form of a message of TensorFlow that was written as JSON (protobuf's JSON format, with either spelling of names).
 *
 * Load this module only when needed: it imports protobufjs' reflection, which is slow to start.
 * @throws Error when the JSON is not such a message
 */
export function jsonToBinary(json: JsonObject, message: 'GraphDef' | 'SignatureDef'): Uint8Array {
  const type = protobuf.Root.fromJSON(descriptor).lookupType(`tensorflow.${message}`);
  return type.encode(type.fromObject(withNamesOf(type, json, 0))).finish();
}

/** The same object with names as in the .proto files, without unknown fields. */
function withNamesOf(type: protobuf.Type, json: JsonObject, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new Error(`it has messages in more than ${MAX_DEPTH} levels`);
  const entries = Object.entries(json).flatMap(([key, value]) => {
    const field = fieldOf(type, key);
    return field && value !== null ? [[field.name, fieldValue(field, value, depth)] as const] : [];
  });
  return Object.fromEntries(entries);
}

function fieldOf(type: protobuf.Type, key: string): protobuf.Field | undefined {
  const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
}

function fieldValue(field: protobuf.Field, value: Json, depth: number): unknown {
  const type = field.resolve().resolvedType;
  if (!(type instanceof protobuf.Type)) return value;
  const inner = (each: unknown) => {
    if (isObject(each)) return withNamesOf(type, each, depth + 1);
    if (each instanceof Uint8Array) return each;
    throw new Error(`${field.name} is not an object`);
  };
  if (field.map && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(each)]));
  }
  return Array.isArray(value) ? value.map(inner) : inner(value);
}
