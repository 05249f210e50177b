import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Converter, ReflectionKind } from 'typedoc';
import { ROOT } from './pages.mjs';

const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'libs/session-auth/package.json'), 'utf8'));

/** Gives each module of the reference the name that applications import it by. */
export function load(app) {
  const names = new Map(
    Object.entries(exports)
      .filter(([, target]) => target.types !== undefined)
      .map(([path, target]) => [
        target.types.replace(/^\.\/dist\/(.*?)(?:\/index)?\.d\.ts$/, '$1'),
        path.replace(/^\./, name),
      ]),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      const imported = names.get(module.name);
      if (imported === undefined) throw new Error(`no entry point of package.json leads to ${module.name}`);
      module.name = imported;
    }
  });
}
