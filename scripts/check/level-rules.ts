/** The layering rule of the packages: which folder stands on which level, what it may import, and what it may not do. */
import { posix } from 'node:path';
import ts from 'typescript';
import { importsOf, lineOf, parse } from './source-imports.ts';
import type { SourceImport } from './source-imports.ts';

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: 'level' | 'rxjs' | 'adapter' | 'foreign' | 'determinism' | 'cycle';
  readonly message: string;
}

/** A file of core belongs to the first folder below `src`, or is a unit of its own there. */
const levels: Readonly<Record<string, number>> = {
  'errors.ts': 0,
  'sequence-map.ts': 0,
  'note.ts': 0,
  'record.ts': 0,
  'shown.ts': 0,
  'version.ts': 0,
  time: 0,
  paxos: 1,
  session: 1,
  lock: 1,
  election: 1,
  ring: 1,
  partition: 1,
  // What sessions use, whichever machine it is for.
  'operation.ts': 1.5,
  // All of a group's state as rows, which the codec writes and the group takes up.
  snapshot: 1.5,
  codec: 2,
  group: 2,
  // What a transport may offer beside frames.
  arbiter: 2.5,
  transport: 3,
  storage: 3,
  runtime: 4,
  'machine.ts': 4,
  api: 5,
  // Above the API, for it runs the API itself.
  simulation: 6,
};
/** The doors stand above everything: they may import all, and nothing may import them. */
const doors: readonly string[] = ['index.ts', 'machines.ts', 'adapter.ts', 'simulation.ts'];
const doorLevel = 7;
const deterministicUpTo = 2;
const rxjsAllowed: readonly string[] = ['runtime', 'api', 'machine.ts'];
/** Hashes and seals are functions of their input; nothing else of Node is at levels 0–2. */
const nodeModulesBelow: readonly string[] = ['node:crypto'];
const coreDependencies: readonly string[] = ['rxjs', '@msgpack/msgpack'];

const coreRoot = 'packages/core/src';
const packageRoot = /^packages\/([^/]+)\/src\//;

/** `files` maps paths from the top of the project, with forward slashes, to their text. */
export function checkLevels(files: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  const edges: Edge[] = [];
  for (const [path, text] of files) {
    const source = parse(path, text);
    const imports = importsOf(source);
    edges.push(...imports.flatMap((one) => edgeOf(path, one)));
    if (path.startsWith(`${coreRoot}/`)) violations.push(...checkCore(path, source, imports));
    else if (packageRoot.test(path)) violations.push(...imports.flatMap((one) => checkAdapter(path, one)));
  }
  return [...violations, ...fileCycles(edges), ...folderCycles(edges)];
}

function checkCore(path: string, source: ts.SourceFile, imports: readonly SourceImport[]): Violation[] {
  const unit = unitOf(path);
  const level = levelOf(unit);
  if (level === undefined)
    return [{ file: path, line: 1, rule: 'level', message: `\`${unit}\` stands on no level: give it one in level-rules.ts` }];
  const violations = imports.flatMap((one) => checkCoreImport(path, { unit, level }, one));
  return level <= deterministicUpTo ? [...violations, ...checkDeterminism(path, source)] : violations;
}

function checkCoreImport(path: string, from: { readonly unit: string; readonly level: number }, one: SourceImport): Violation[] {
  const violation = (rule: Violation['rule'], message: string): Violation[] => [{ file: path, line: one.line, rule, message }];
  if (!one.specifier.startsWith('.')) return checkCorePackageImport(from, one.specifier, violation);
  const target = resolveFrom(path, one.specifier);
  if (!target.startsWith(`${coreRoot}/`)) return violation('foreign', `\`${one.specifier}\` leaves the sources of core`);
  const unit = unitOf(target);
  const level = levelOf(unit);
  if (unit === from.unit || (level !== undefined && level < from.level)) return [];
  return violation(
    'level',
    `${from.unit} (level ${from.level}) imports ${unit} (level ${level ?? 'none'}): only its own folder and lower levels`,
  );
}

function checkCorePackageImport(
  from: { readonly unit: string; readonly level: number },
  specifier: string,
  violation: (rule: Violation['rule'], message: string) => Violation[],
): Violation[] {
  const name = packageName(specifier);
  if (name === 'rxjs') {
    return rxjsAllowed.includes(from.unit) || from.level === doorLevel
      ? []
      : violation('rxjs', `rxjs belongs in ${rxjsAllowed.join(', ')}, not in ${from.unit}`);
  }
  if (specifier.startsWith('node:')) {
    if (from.level > deterministicUpTo || nodeModulesBelow.includes(specifier)) return [];
    return violation('determinism', `${specifier} at level ${from.level}: what the world says arrives as input`);
  }
  return coreDependencies.includes(name) ? [] : violation('foreign', `core does not depend on ${specifier}`);
}

function checkAdapter(path: string, one: SourceImport): Violation[] {
  const violation = (rule: Violation['rule'], message: string): Violation[] => [{ file: path, line: one.line, rule, message }];
  const name = packageName(one.specifier);
  if (one.specifier.startsWith('.')) {
    const root = packageRoot.exec(path)?.[0] ?? '';
    return resolveFrom(path, one.specifier).startsWith(root)
      ? []
      : violation('foreign', `\`${one.specifier}\` leaves the sources of its package`);
  }
  if (name === 'rxjs') return violation('rxjs', 'an adapter holds no streams');
  if (name.startsWith('@quorate/') && one.specifier !== '@quorate/core/adapter') {
    return violation('adapter', `${one.specifier}: an adapter imports @quorate/core/adapter only`);
  }
  return [];
}

const forbiddenNames: Readonly<Record<string, string>> = {
  Date: 'a clock',
  performance: 'a clock',
  process: 'the process',
  setTimeout: 'a timer',
  setInterval: 'a timer',
  setImmediate: 'a timer',
  queueMicrotask: 'a timer',
  randomBytes: 'chance',
  randomInt: 'chance',
  randomUUID: 'chance',
  getRandomValues: 'chance',
};

function checkDeterminism(path: string, source: ts.SourceFile): Violation[] {
  const violations: Violation[] = [];
  const report = (node: ts.Node, what: string): void => {
    violations.push({
      file: path,
      line: lineOf(source, node),
      rule: 'determinism',
      message: `${what} at levels 0–2: decisions are deterministic`,
    });
  };
  const visit = (node: ts.Node): void => {
    // A type says nothing at run time: `Date` or a promise may stand in one.
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (ts.isAwaitExpression(node)) report(node, '`await`');
    if (ts.isForOfStatement(node) && node.awaitModifier) report(node, '`for await`');
    if (node.kind === ts.SyntaxKind.AsyncKeyword) report(node.parent, '`async`');
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Promise') report(node, 'a promise');
    if (ts.isPropertyAccessExpression(node) && node.getText(source) === 'Math.random') report(node, '`Math.random` (chance)');
    // A calendar calculation on constants reads no clock.
    if (ts.isPropertyAccessExpression(node) && node.getText(source) === 'Date.UTC') return;
    if (ts.isIdentifier(node) && isReference(node)) {
      const what = Object.hasOwn(forbiddenNames, node.text) ? forbiddenNames[node.text] : undefined;
      if (what) report(node, `\`${node.text}\` (${what})`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return violations;
}

/** The name of a property, a parameter or a field is not the global of that name; `crypto.randomUUID` still is chance. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return node.text.startsWith('random') && parent.expression.getText() === 'crypto';
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) return parent.name !== node;
  return !ts.isMethodDeclaration(parent) && !ts.isMethodSignature(parent) && !ts.isParameter(parent);
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

function edgeOf(path: string, one: SourceImport): Edge[] {
  if (!one.specifier.startsWith('.') || !packageRoot.test(path)) return [];
  return [{ from: path, to: resolveFrom(path, one.specifier), typeOnly: one.typeOnly, line: one.line }];
}

/** Files that need each other while they load. An import of types is gone by then. */
function fileCycles(edges: readonly Edge[]): Violation[] {
  return cycles(edges.filter((edge) => !edge.typeOnly));
}

/** Folders that need each other in any way cannot be understood one after the other. */
function folderCycles(edges: readonly Edge[]): Violation[] {
  const between = edges.map((edge) => ({ ...edge, from: folderOf(edge.from), to: folderOf(edge.to) }));
  return cycles(between.filter((edge) => edge.from !== edge.to));
}

/** A file directly below `src` is a unit of its own, like `errors.ts`, and not part of one with its neighbours. */
function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder.endsWith('/src') ? path : folder;
}

/** One violation for each circle that a walk along the imports closes. */
function cycles(edges: readonly Edge[]): Violation[] {
  const outgoing = new Map<string, Edge[]>();
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const done = new Set<string>();
  const found = new Map<string, Violation>();
  const walk = (node: string, path: readonly string[]): void => {
    if (done.has(node)) return;
    for (const edge of outgoing.get(node) ?? []) {
      const at = [...path, node].indexOf(edge.to);
      const message = [...[...path, node].slice(at), edge.to].join(' → ');
      if (at >= 0) found.set(message, { file: edge.from, line: edge.line, rule: 'cycle', message });
      else walk(edge.to, [...path, node]);
    }
    done.add(node);
  };
  for (const node of outgoing.keys()) walk(node, []);
  return [...found.values()];
}

function unitOf(path: string): string {
  return path.slice(coreRoot.length + 1).split('/')[0] ?? '';
}

function levelOf(unit: string): number | undefined {
  if (doors.includes(unit)) return doorLevel;
  return Object.hasOwn(levels, unit) ? levels[unit] : undefined;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function resolveFrom(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}
