/**
 * Runs a contract suite and returns the titles of the tests that fail.
 *
 * @param least how many tests there are at least: a suite that declares none would notice nothing
 * @param titles runs only tests with such titles. @default all
 */
export async function failedTests(
  least: number,
  declare: () => void,
  titles: readonly RegExp[] = [/^/],
): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = [];
  const collector = {
    describe: (_: string, body: () => void) => body(),
    it: (title: string, body: () => Promise<void>) => void tests.push([title, body]),
  };
  withGlobals(collector, declare);
  if (tests.length < least) throw new Error(`the suite declared ${tests.length} tests`);
  const failures: string[] = [];
  for (const [title, body] of tests) {
    if (titles.some((some) => some.test(title))) await body().catch(() => failures.push(title));
  }
  return failures;
}

/** Runs a function with other globals than those of the present test framework. */
export function withGlobals(globals: object, run: () => void): void {
  const own = Object.fromEntries(Object.keys(globals).map((name) => [name, Reflect.get(globalThis, name) as unknown]));
  Object.assign(globalThis, globals);
  try {
    run();
  } finally {
    Object.assign(globalThis, own);
  }
}
