/**
 * What a module of the tests does after each file that has used it. A hook of Jest would belong to the one file that
 * loaded the module first: the files of a worker share their modules.
 */
const works = new Set<() => Promise<void> | undefined>();

/** Has something done at the end of each test file. */
export function atFileEnd(work: () => Promise<void> | undefined): void {
  works.add(work);
}

/** Does what {@link atFileEnd} was given. */
export async function endFile(): Promise<void> {
  for (const work of works) await work();
}
