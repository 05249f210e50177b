import ts from 'typescript';

/** Constructions that native readers read twice, with what to write instead. */
export const DIALECT: Readonly<Record<string, RegExp>> = {
  'answers → returns, responds': /\banswer(?:s|ed|ing)\b/gi,
  'none such, is none, finds none → no, not, undefined':
    /\bnone (?:such|of|that|at|to)\b|\b(?:is|are|was|were|be|has|have|had|makes?|takes?|needs?|gets?|with|by|to|for|finds?|sets?|names?) none\b/gi,
  'whatever, whoever … is → any, every, even if':
    /\b(?:whatever|who(?:m)?ever|whichever|wherever|whenever)\b|\bhowever (?:many|much|long|often|\w+ly)\b/gi,
  'what of, how much of → the part of': /\b(?:what|how much) of\b/gi,
  'by no, to no, with no → not, without': /\b(?:by|to|of|for|from|on|in|with|at) no\b/gi,
  'as much as it is → if': /\bas (?:much|far|little) as (?:it|they)\b/gi,
  'of its own, of one’s own → its own, separate': /\bof (?:one|\w+)(?:['’]s)? own\b/gi,
  'tells apart, is told of, hears of → distinguishes, reports':
    /\b(?:told|tells?|telling) (?:apart|of|from)\b|\bhears? of\b|\bheard of\b/gi,
  'Not X is → subject first':
    /(?:^|[.;:!?] )(?:[Nn]ot|[Nn]or|[Nn]ever|[Oo]nly|[Nn]either)\b[^.;]{0,60}?\b(?:is|are|does|do|can|has|have|was|were|will|may)\b(?= \w)|\b, nor (?:is|are|does|do|can|has|have|was|may)\b/gm,
  'idioms → the plain verb':
    /\b(?:all the same|but for|at hand|of late|lately|for long|thereby|therein|thereof|hence|lest|save for|ere|comes? about|c[oa]mes? of|comes? to nothing|to the letter|goes by|go by|went by|held to|stands? for|in (?:the|their|its) place|such a one|the like|let alone|for ever|as ever|comes? along|brings? along|counts? for nothing|worth nothing)\b/gi,
  'knows no, takes no → does not know': /\b(?:knows?|takes?|finds?|makes?|sees?|asks?) no\b/gi,
  'What is … as a subject → the noun':
    /(?:^|[.;:!?] )(?:What|Whose|Who|Whom) (?!if|about|this|happens|to )[^.?;]{0,90}/gm,
  'is asked, is let, is taken for → the active verb':
    /\b(?:is|are|was|were|be|been) (?:asked|told|let|taken for|looked|gone|come)\b/gi,
  'that there is → existing': /\bthat there (?:is|are|was|were)\b|\bthere (?:is|are) none\b/gi,
};

/** Every construction of {@link DIALECT} in a text. */
export function dialectIn(text: string): string[] {
  return Object.values(DIALECT).flatMap((pattern) => [...text.matchAll(pattern)].map(([found]) => found.trim()));
}

export function wordsIn(text: string): number {
  return text.match(/[A-Za-z][A-Za-z’'-]*/g)?.length ?? 0;
}

/** The comments of a source file, a paragraph a line. */
export function commentsOf(source: string): string {
  const comments = [...source.matchAll(/\/\*\*?(.*?)\*\/|(?<![:"'`\w])\/\/(.*?)$/gms)];
  return comments
    .map(([, block, line]) => block?.replace(/^\s*\* ?/gm, '') ?? line!)
    .map((comment) => comment.replace(/\s*\n\s*(?!@|$)/g, ' '))
    .join('\n');
}

/** The texts of three words or more in the literals of a source file, without SQL and scripts. */
export function messagesOf(source: string): string {
  const messages: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) messages.push(node.text);
    if (ts.isTemplateExpression(node))
      messages.push([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('X'));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  const isCode = /\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WHERE|FROM|RETURNING|redis\.call)\b|\.js$/;
  return messages.filter((text) => /[a-z]{2,} [a-z]+ [a-z]{2,}/i.test(text) && !isCode.test(text)).join('\n');
}

/** The prose of a page: without code, addresses of links and quoted titles of tests. */
export function proseOf(markdown: string): string {
  return markdown
    .replace(/^```.*?^```$/gms, '')
    .replace(/`[^`\n]*`/g, 'X')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/“[^”]*”/g, 'X')
    .replace(/(?<=\S)\n(?=\w)/g, ' ');
}
