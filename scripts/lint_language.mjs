// Keeps the project to plain technical English: node scripts/lint_language.mjs [FILE...]
// Spelling is checked by cspell; this finds phrases that a reader has to decode, and says what to write in their place.
// Without files it reads all of src/, test/, scripts/, examples/, docs/ and the .md files. Exit code 1 when it finds something.
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What not to write, and what to write. */
const RULES = [
  [
    /\b(?:is|are|was|were|be) told(?: apart)?(?: by| from)?\b|\btells? apart\b/,
    'is detected from, is determined by, is reported',
  ],
  [/\b(?:mis)?judge[sd]?\b|\bjudging\b/, 'analyse, check'],
  [/\bon the way to (?:an|the|its|any) outputs?\b/, 'feeds an output, reachable from the outputs'],
  [
    /\b(?:the|a|each) batch's (?:own )?(?:statistics|mean|variance)\b|\bstatistics of (?:the|each|a) batch\b(?! norm)/,
    'batch statistics',
  ],
  [/\bfollowers?\b|\bfollowed (?:statistic|tensor)/, 'averaged statistic; the variable averages it'],
  [/\bsettled?\b|\bequilibrium\b/, 'converged'],
  [
    /\b(?:graph|model|net|tensor|output|norm|copy)s? (?:that )?answers?\b|\banswers? (?:as|like|a graph)\b/,
    'outputs, returns, evaluates',
  ],
  [/\bwritten out\b/, 'inlined, expanded'],
  [/\b(?:is|are|was) there already\b/, 'already exists'],
  [/\b(?:cannot|could|that (?:is|are)) (?:be )?meant\b/, 'invalid, ambiguous'],
  [/\bone argument too many\b/, 'unexpected argument'],
  [/\bmade constants? of\b/, 'froze'],
  [/\bclear winner\b/, 'chosen from N candidates'],
  [/\blie[sd]?\b (?:in|beside|side by side|on|behind|below)\b|\blying (?:in|beside|on|behind)\b/, 'is in, is next to'],
  [/\bfaults? (?:of|in) bnfix\b/, 'a bug in bnfix'],
  [/\bmend(?:s|ed|ing)?\b/, 'fix, repair'],
  [/\bdamaged?\b/, 'corrupt'],
  [/\bshadows?\b/, 'EMA weight'],
  [/\bhand(?:s|ed)? (?:it |them |that |this )?on\b/, 'pass, forward'],
  [/\bcom(?:es?|ing) of\b|\bcame of\b/, 'comes from, results from'],
  [/\bsee to\b/, 'check, fix'],
  [/\bnot said\b/, 'unknown, not given'],
];

/** Only in messages: a comment may say that there is no such thing. */
const MESSAGE_RULES = [[/\b[Tt]here (?:is|are) no\b/, 'X not found']];

/** Whole lines that may say what the rules forbid: quotations, and this list. */
const SKIPPED = /lint_language|LANGUAGE/;
const FOLDERS = ['src', 'test', 'scripts', 'examples', 'docs', '.github', '.ci'];
const CHECKED = /\.(ts|mjs|md|py|sh|yml)$|^\.ci\/\w+$/;
const NOT_OURS = /^(src\/proto\/.*|src\/ops\/op_table\.ts|docs\/forms\.md|scripts\/lint_language\.mjs)$/;
const STRING = /'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const named = process.argv.slice(2);
const all = () => [
  ...readdirSync('.').filter((path) => path.endsWith('.md')),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path).replaceAll(sep, '/')),
  ),
];
const files = named.length > 0 ? named : all().filter((path) => CHECKED.test(path) && !NOT_OURS.test(path));

let found = 0;
for (const path of files) {
  for (const [i, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (SKIPPED.test(line)) continue;
    check(path, i + 1, line, RULES);
    if (path.startsWith('src/')) for (const [text] of line.matchAll(STRING)) check(path, i + 1, text, MESSAGE_RULES);
  }
}
console.log(`${files.length} files, ${found} phrases to replace`);
process.exitCode = found > 0 ? 1 : 0;

function check(path, line, text, rules) {
  for (const [pattern, instead] of rules) {
    const match = pattern.exec(text);
    if (!match) continue;
    found++;
    console.log(`${path}:${line}: "${match[0]}": write ${instead}`);
  }
}
