/** The titles of the tests in a source file that a run of the file would run: read from its syntax, so that no comment counts. */
import ts from 'typescript';

const makers = ['test', 'it', 'describe', 'xtest', 'xit', 'xdescribe', 'fit', 'fdescribe'];
/** Whatever stands under one of these is not run, or may fail unseen. */
const dead = ['skip', 'todo', 'failing', 'xtest', 'xit', 'xdescribe'];
/** One of these anywhere silences all the others of its file. */
const alone = ['only', 'fit', 'fdescribe'];

/**
 * As they are written: `%i` and all. The first cell of a row of a table of tests counts as a title too: a suite for many
 * implementations is such a table.
 */
export function liveTitles(source: string): ReadonlySet<string> {
  const file = ts.createSourceFile('tests.ts', source, ts.ScriptTarget.Latest, true);
  const titles = new Set<string>();
  let isAnyAlone = false;
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const words = wordsOf(node.expression);
      if (isMarked(words, alone)) isAnyAlone = true;
      if (isMarked(words, dead)) return;
    }
    if (ts.isStringLiteralLike(node) && isTitle(node)) titles.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return isAnyAlone ? new Set() : titles;
}

/** Only of calls that make tests: a stream may skip what it likes. */
function isMarked(words: readonly string[], marks: readonly string[]): boolean {
  return makers.includes(words[0] ?? '') && words.some((word) => marks.includes(word));
}

function isTitle(literal: ts.StringLiteralLike): boolean {
  const { parent } = literal;
  if (ts.isArrayLiteralExpression(parent)) return parent.elements[0] === literal;
  return ts.isCallExpression(parent) && parent.arguments[0] === literal && ['test', 'it'].includes(wordsOf(parent.expression)[0] ?? '');
}

/** `it.skip.each(rows)` is it, skip and each. */
function wordsOf(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...wordsOf(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee)) return wordsOf(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return wordsOf(callee.tag);
  return [];
}
