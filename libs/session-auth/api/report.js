/**
 * Compares the public API of every entry point in package.json's `exports` with its report beside this file, and exits
 * with 1 where they differ. With `--update` it writes the reports instead.
 */
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractsOf } from './contract.js';

const HERE = import.meta.dirname;
const LIBRARY = join(HERE, '..');
const BUILT = join(HERE, 'dist');
const TSCONFIG = join(LIBRARY, 'tsconfig.build.json');
const MANIFEST = join(LIBRARY, 'package.json');
const SUFFIX = '.api.md';

const { name: packageName, exports } = JSON.parse(readFileSync(MANIFEST, 'utf8'));

/** The entry points that have types: what users import, its declaration file, and the file name of its report. */
const entryPoints = Object.entries(exports)
  .filter(([, target]) => target.types !== undefined)
  .map(([path, target]) => ({
    specifier: packageName + path.slice(1),
    declarations: join(HERE, target.types),
    report: (path === '.' ? 'index' : path.slice(2).replaceAll('/', '-')) + SUFFIX,
  }));

buildDeclarations();
const contracts = contractsOf(extractDeclarations());
const reports = new Map(entryPoints.map(({ specifier, report }) => [report, render(specifier, contracts)]));
process.exitCode = process.argv.includes('--update') ? update() : check();

function buildDeclarations() {
  rmSync(BUILT, { recursive: true, force: true });
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  // `npm run lint:types` checks the types. The order of unions must not depend on which file is read first.
  const options = ['--emitDeclarationOnly', '--noCheck', '--stableTypeOrdering', '--outDir', BUILT];
  execFileSync(process.execPath, [tsc, '-p', TSCONFIG, ...options], { stdio: 'inherit' });
}

/** Returns, by specifier, every declaration that the exports of an entry point reach. */
function extractDeclarations() {
  let compilerState;
  return new Map(
    entryPoints.map(({ specifier, declarations, report }) => {
      const config = extractorConfig(declarations, report);
      const additionalEntryPoints = entryPoints.map((each) => each.declarations);
      compilerState ??= CompilerState.create(config, { additionalEntryPoints });
      const { succeeded } = Extractor.invoke(config, { compilerState, messageCallback: silenceProgress });
      if (!succeeded) throw new Error(`API Extractor found problems in ${specifier}: see above`);

      const [{ fileName }] = config.reportConfigs;
      const [, code] = /^```ts\n(.*)^```$/ms.exec(readFileSync(join(BUILT, fileName), 'utf8'));
      return [specifier, code];
    }),
  );
}

function extractorConfig(mainEntryPointFilePath, reportFileName) {
  const off = { logLevel: 'none' };
  const warning = { logLevel: 'warning' };
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: MANIFEST,
    configObject: {
      projectFolder: LIBRARY,
      mainEntryPointFilePath,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: TSCONFIG },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder: BUILT,
        reportTempFolder: BUILT,
        // leaves out members that are `@internal`
        reportVariants: ['public'],
        includeForgottenExports: true,
      },
      messages: {
        compilerMessageReporting: { default: warning },
        extractorMessageReporting: {
          default: warning,
          // release tags are not used: what is exported is public
          'ae-missing-release-tag': off,
          // the report shows their declarations
          'ae-forgotten-export': off,
          // TypeDoc reads the doc comments, and `npm run docs:api` fails on those that it cannot read
          'ae-undocumented': off,
          'ae-unresolved-link': off,
        },
        tsdocMessageReporting: { default: off },
      },
    },
  });
}

/** API Extractor's own comparison is not used: its report holds more than the contract. */
function silenceProgress(message) {
  if (message.category === 'console') message.logLevel = 'none';
}

function render(specifier, contracts) {
  const { imports, declarations, hidden } = contracts.get(specifier);
  const note = ['// Named by constructors alone, and not exported:', ...hidden.map((name) => `// ${name}`)];
  const code = [imports.join('\n'), ...declarations, hidden.length === 0 ? '' : note.join('\n')];
  return `# API of \`${specifier}\`

\`npm run api:update\` writes this file. A declaration without \`export\` is there because an export names it.

\`\`\`ts
${code.filter((text) => text !== '').join('\n\n')}
\`\`\`
`;
}

function update() {
  for (const name of surplusReports()) rmSync(join(HERE, name));
  for (const [name, text] of reports) writeFileSync(join(HERE, name), text);
  return 0;
}

function check() {
  const surplus = surplusReports();
  const changed = [...reports.keys()].filter((name) => !isUpToDate(name));
  for (const name of changed) showDifference(name);
  if (changed.length === 0 && surplus.length === 0) return 0;

  const files = [...changed, ...surplus].map((name) => relative(process.cwd(), join(HERE, name)));
  console.error(`The public API differs from its report: ${files.join(', ')}`);
  console.error('If that is meant, run `npm run api:update` and commit the reports with the change.');
  return 1;
}

/** Returns the reports whose entry point was removed. */
function surplusReports() {
  return readdirSync(HERE).filter((name) => name.endsWith(SUFFIX) && !reports.has(name));
}

function isUpToDate(name) {
  const path = join(HERE, name);
  return existsSync(path) && withoutLayout(readFileSync(path, 'utf8')) === withoutLayout(reports.get(name));
}

/** A comment inside a type leaves a line break where it was removed. */
function withoutLayout(text) {
  return text.replaceAll(/\s+/g, ' ');
}

function showDifference(name) {
  writeFileSync(join(BUILT, name), reports.get(name));
  const before = existsSync(join(HERE, name)) ? name : '/dev/null';
  const after = relative(HERE, join(BUILT, name));
  spawnSync('git', ['--no-pager', 'diff', '--no-index', before, after], { cwd: HERE, stdio: 'inherit' });
}
