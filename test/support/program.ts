import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The sources as TypeScript sees them, for tests of types and doc comments. */
export class SourceProgram {
  readonly checker: ts.TypeChecker;
  readonly #program: ts.Program;

  constructor() {
    const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    this.#program = ts.createProgram(fileNames, options);
    this.checker = this.#program.getTypeChecker();
  }

  /** Paths of all modules inside src/ but the generated ones. */
  paths(): string[] {
    const files = this.#program.getSourceFiles().map(({ fileName }) => this.pathOf(fileName));
    return files.filter((path) => !/^(\.\.|proto\/)/.test(path)).sort();
  }

  /** What a module of src/ exports, by its own names; a re-export is what it leads to. */
  exportsOf(path: string): ReadonlyMap<string, ts.Symbol> {
    const module = this.checker.getSymbolAtLocation(this.#program.getSourceFile(`${ROOT}src/${path}`)!);
    const symbols = module ? this.checker.getExportsOfModule(module) : [];
    return new Map(symbols.map((symbol) => [symbol.name, this.resolved(symbol)]));
  }

  /** What a name stands for, behind imports and re-exports. */
  resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  /** The path of a file relative to src/, with slashes on every system. */
  pathOf(fileName: string): string {
    return relative(`${ROOT}src`, fileName).replaceAll('\\', '/');
  }
}
