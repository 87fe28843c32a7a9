import ts from 'typescript';

/** What tests read of a JSON Schema. */
export interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
}

/** A schema as text, one line for each property and each case of a union: `.outcomes[](branch).node: string`. */
export function linesOfSchema(root: Schema, schema: Schema, at = '', seen: readonly string[] = []): string[] {
  const within = (part: Schema, place: string, more: readonly string[] = seen) =>
    linesOfSchema(root, part, place, more);
  if (schema.$ref !== undefined) {
    if (seen.includes(schema.$ref)) return [`${at}: again`];
    return within(resolve(root, schema.$ref), at, [...seen, schema.$ref]);
  }
  const cases = schema.oneOf ?? schema.anyOf;
  if (cases) return cases.flatMap((each) => within(each, at));
  if ('const' in schema) return [`${at}: ${JSON.stringify(schema.const)}`];
  if (schema.enum) return schema.enum.map((value) => `${at}: ${JSON.stringify(value)}`);
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.flatMap((type) => {
    if (type === 'array') {
      if (schema.prefixItems) return schema.prefixItems.flatMap((item, i) => within(item, `${at}[${i}]`));
      return within(schema.items as Schema, `${at}[]`);
    }
    if (type !== 'object') return [`${at}: ${type === 'integer' ? 'number' : type}`];
    if (schema.additionalProperties) return within(schema.additionalProperties, `${at}{}`);
    const name = caseName(Object.entries(schema.properties!).map(([key, { const: value }]) => [key, value]));
    return Object.entries(schema.properties!).flatMap(([key, value]) =>
      within(value, `${at}${name}.${key}${schema.required!.includes(key) ? '' : '?'}`),
    );
  });
}

function resolve(root: Schema, ref: string): Schema {
  const path = ref.slice('#/'.length).split('/');
  return path.reduce((at, key) => at[key] as Record<string, unknown>, root as Record<string, unknown>) as Schema;
}

/** What tells the cases of a union apart. */
function caseName(properties: readonly (readonly [key: string, value: unknown])[]): string {
  const [, value] = properties.find(([key, x]) => /^(kind|code|action)$/.test(key) && typeof x === 'string') ?? [];
  return value === undefined ? '' : `(${value})`;
}

/** A type in the same text, as JSON shows it: null for undefined. */
export function linesOfType(checker: ts.TypeChecker, type: ts.Type, at = '', seen: readonly ts.Type[] = []): string[] {
  const within = (part: ts.Type, place: string, more: readonly ts.Type[] = seen) =>
    linesOfType(checker, part, place, more);
  if (type.isUnion()) {
    const union = checker.getNonNullableType(type);
    if (seen.includes(union)) return [`${at}: again`];
    return type.types.flatMap((each) => within(each, at, [...seen, union]));
  }
  if (type.flags & ts.TypeFlags.Undefined) return [`${at}: null`];
  if (type.flags & ts.TypeFlags.BooleanLiteral) return [`${at}: boolean`];
  if (type.isLiteral()) return [`${at}: ${JSON.stringify(type.value)}`];
  if (!(type.flags & ts.TypeFlags.Object)) return [`${at}: ${checker.typeToString(type)}`];
  if (checker.isTupleType(type)) {
    return checker.getTypeArguments(type as ts.TypeReference).flatMap((item, i) => within(item, `${at}[${i}]`));
  }
  const item = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (item && checker.isArrayLikeType(type)) return within(item, `${at}[]`);
  const values = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  if (values) return within(values, `${at}{}`);
  const properties = type.getProperties().map((property) => [property, checker.getTypeOfSymbol(property)] as const);
  const label = caseName(
    properties.map(([{ name }, value]) => [name, value.isStringLiteral() ? value.value : undefined]),
  );
  return properties.flatMap(([property, value]) => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const shown = isOptional ? checker.getNonNullableType(value) : value;
    return within(shown, `${at}${label}.${property.name}${isOptional ? '?' : ''}`);
  });
}
