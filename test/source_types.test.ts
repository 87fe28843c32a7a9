import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { SourceProgram } from './support/program.js';
import { linesOfSchema, linesOfType, type Schema } from './support/type_lines.js';

// Reading the sources takes most of the time: what asks TypeScript about them is in this one file.
const program = new SourceProgram();
const { checker } = program;

describe('docs/report.schema.json', () => {
  const root: Schema = JSON.parse(readFileSync(new URL('../docs/report.schema.json', import.meta.url), 'utf8'));
  const unique = (lines: readonly string[]) => [...new Set(lines)].sort();
  /** What the CLI adds to a report. */
  const added = /^(\.bnfix|\.command|\.verification|\.read|\.written)\b/;

  it.each([
    ['FreezeReport', 'freezing/report.ts'],
    ['FoldReport', 'freezing/fold_report.ts'],
    ['Problem', 'analysis/training/problems.ts'],
  ])('describes %s: every property, every case of a union', (name, path) => {
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf(path).get(name)!);
    const described = linesOfSchema(root, root.$defs![name]!).filter((line) => !added.test(line));
    expect(unique(described)).toEqual(unique(linesOfType(checker, type)));
  });

  it('describes Inspection in docs/inspect.schema.json', () => {
    const inspection: Schema = JSON.parse(
      readFileSync(new URL('../docs/inspect.schema.json', import.meta.url), 'utf8'),
    );
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('diagnosis/inspection.ts').get('Inspection')!);
    const described = linesOfSchema(inspection, inspection.$defs!.Inspection!).filter((line) => !added.test(line));
    expect(unique(described)).toEqual(unique(linesOfType(checker, type)));
  });

  it('describes CheckReport in docs/check.schema.json', () => {
    const report: Schema = JSON.parse(readFileSync(new URL('../docs/check.schema.json', import.meta.url), 'utf8'));
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('diagnosis/check_report.ts').get('CheckReport')!);
    const described = linesOfSchema(report, report.$defs!.CheckReport!);
    expect(unique(described)).toEqual(unique(linesOfType(checker, type)));
  });

  it('describes Calibration in docs/calibrate.schema.json', () => {
    const report: Schema = JSON.parse(readFileSync(new URL('../docs/calibrate.schema.json', import.meta.url), 'utf8'));
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('calibration/report.ts').get('Calibration')!);
    expect(unique(linesOfSchema(report, report.$defs!.Calibration!))).toEqual(unique(linesOfType(checker, type)));
  });

  it('describes VerifyReport in docs/verify.schema.json', () => {
    const report: Schema = JSON.parse(readFileSync(new URL('../docs/verify.schema.json', import.meta.url), 'utf8'));
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('proof/report.ts').get('VerifyReport')!);
    // An infinite error is null in JSON.
    const isInfinite = (line: string) => /\.(max|mean)Error: null$/.test(line);
    const described = linesOfSchema(report, report.$defs!.Verification!).filter((line) => !isInfinite(line));
    expect(unique(described)).toEqual(unique(linesOfType(checker, type)));
  });

  it('describes RunReport in docs/run.schema.json', () => {
    const report: Schema = JSON.parse(readFileSync(new URL('../docs/run.schema.json', import.meta.url), 'utf8'));
    // References to report.schema.json.
    const { model: _, bnfix: __, ...properties } = report.$defs!.RunReport!.properties!;
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('cli/running/run_report.ts').get('RunReport')!);
    const described = linesOfSchema(report, { ...report.$defs!.RunReport!, properties }).filter(
      (line) => !added.test(line),
    );
    // That of freeze.
    const lines = linesOfType(checker, type).filter((line) => !line.startsWith('.model.'));
    expect(unique(described)).toEqual(unique(lines));
  });

  it('describes Step in docs/next.schema.json', () => {
    const report: Schema = JSON.parse(readFileSync(new URL('../docs/next.schema.json', import.meta.url), 'utf8'));
    const type = checker.getDeclaredTypeOfSymbol(program.exportsOf('using/step.ts').get('Step')!);
    const described = linesOfSchema(report, report.$defs!.Step!);
    expect(unique(described)).toEqual(unique(linesOfType(checker, type)));
  });

  it('says of every property what it is', () => {
    const silent: string[] = [];
    const walk = (schema: unknown, at: string) => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, { description, $ref, const: value }] of Object.entries((schema as Schema).properties ?? {})) {
        if ((description ?? $ref ?? value) === undefined) silent.push(`${at}.${key}`);
      }
      for (const [key, value] of Object.entries(schema)) walk(value, `${at}/${key}`);
    };
    walk(root, '');
    expect(silent).toEqual([]);
  });
});

describe('doc comments', () => {
  const says = (symbol: ts.Symbol) =>
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags().length > 0;
  const isIn = (path: string, symbol: ts.Symbol) =>
    symbol.declarations?.some((each) => program.pathOf(each.getSourceFile().fileName) === path);
  const declared = program
    .paths()
    .flatMap((path) =>
      [...program.exportsOf(path)]
        .filter(([, symbol]) => isIn(path, symbol))
        .map(([name, symbol]) => ({ name: `${path}: ${name}`, symbol })),
    );

  it('are on every function, type and constant that a module exports', () => {
    expect(declared.filter(({ symbol }) => !says(symbol)).map(({ name }) => name)).toEqual([]);
  });

  it('are on every public method of a class', () => {
    const methods = declared
      .filter(({ symbol }) => symbol.flags & ts.SymbolFlags.Class)
      .flatMap(({ name, symbol }) =>
        [...symbol.members!.values()].map((member) => ({ name: `${name}.${member.name}`, member })),
      )
      .filter(({ member }) => member.flags & ts.SymbolFlags.Method && isPublic(member));
    expect(methods.filter(({ member }) => !says(member)).map(({ name }) => name)).toEqual([]);
  });
});

/** Methods of JavaScript's own protocols need no comment. */
function isPublic({ name, declarations = [] }: ts.Symbol): boolean {
  return !name.startsWith('__') && declarations.some((each) => !isPrivate(each));
}

const ENTRIES = ['core.ts', 'index.ts'];

describe('the public API', () => {
  const exported = new Set(ENTRIES.flatMap((path) => [...program.exportsOf(path).values()]));

  it('says of each function which errors it throws', () => {
    const functions = [...exported].filter(({ flags }) => flags & ts.SymbolFlags.Function);
    const silent = functions.filter((symbol) => !symbol.getJsDocTags(checker).some(({ name }) => name === 'throws'));
    expect(silent.map(({ name }) => name)).toEqual([]);
    expect(functions.length).toBeGreaterThan(5);
  });

  // The generated messages of src/proto are reached through AttrValue, TensorProto and GraphHeader.
  it('exports every type that a signature names', () => {
    const missing = new Set<string>();
    for (const symbol of exported) {
      for (const declaration of symbol.declarations ?? []) visitTypes(declaration, (name) => missing.add(name));
    }
    expect([...missing].sort()).toEqual([]);
  });

  /** Calls back for each own type that a declaration names and that is not exported. */
  function visitTypes(node: ts.Node, found: (name: string) => void): void {
    if (ts.isBlock(node) || isPrivate(node)) return;
    // What is not written here cannot be looked at.
    if (isSignature(node) && !node.type) found(`the type of ${node.getText().slice(0, 60)}`);
    if (ts.isTypeReferenceNode(node) || ts.isTypeQueryNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const name = ts.isTypeReferenceNode(node)
        ? node.typeName
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : node.expression;
      const symbol = checker.getSymbolAtLocation(name);
      const target = symbol && program.resolved(symbol);
      if (target && !(target.flags & ts.SymbolFlags.TypeParameter) && isOwn(target) && !exported.has(target)) {
        found(`${target.name} (in ${node.parent.getText().slice(0, 60)})`);
      }
    }
    node.forEachChild((child) => visitTypes(child, found));
  }

  function isOwn({ declarations = [] }: ts.Symbol): boolean {
    return declarations.some((each) => !/^(\.\.|proto)\//.test(program.pathOf(each.getSourceFile().fileName)));
  }
});

/** Whether a declaration has a type that TypeScript would infer if it were not written. */
function isSignature(node: ts.Node) {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isGetAccessor(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isVariableDeclaration(node)
  );
}

function isPrivate(node: ts.Node): boolean {
  return ts.isClassElement(node) && node.name !== undefined && ts.isPrivateIdentifier(node.name);
}
