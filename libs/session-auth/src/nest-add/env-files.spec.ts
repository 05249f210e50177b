import { describe, expect, it } from '@jest/globals';
import { FilesInMemory } from '../../test/fixtures/files-in-memory.js';
import { addVariables, ignoreEnvFile, valueOf } from './env-files.js';

const SECRET = { name: 'SECRET', value: 'new', example: '', comment: 'what for' };

describe('addVariables', () => {
  const written = (env?: string): string | undefined => {
    const files = new FilesInMemory(env === undefined ? {} : { '.env': env });
    addVariables(files, '.env', [SECRET]);
    return files.texts.get('.env');
  };

  it.each([
    ['a file that is missing', undefined, '# what for\nSECRET=new\n'],
    ['an empty file', '', '# what for\nSECRET=new\n'],
    ['a file without an end of line', 'A=1', 'A=1\n# what for\nSECRET=new\n'],
    ['a file of Windows', 'A=1\r\n', 'A=1\r\n# what for\r\nSECRET=new\r\n'],
    ['an empty value', 'SECRET=\nA=1\n', 'SECRET=new\nA=1\n'],
    ['an empty value in quotes', 'SECRET=""\n', 'SECRET=new\n'],
    ['the name in a comment', '# SECRET=old\n', '# SECRET=old\n# what for\nSECRET=new\n'],
    ['a longer name', 'MY_SECRET=old\nSECRETS=old\n', 'MY_SECRET=old\nSECRETS=old\n# what for\nSECRET=new\n'],
  ])('writes into %s', (_what, before, after) => {
    expect(written(before)).toBe(after);
  });

  it.each(['SECRET=old\n', 'export SECRET=old\n', '  SECRET = old\nA=1', 'SECRET="old"\r\nA=1\r\n'])(
    'leaves %j alone',
    (text) => {
      expect(written(text)).toBe(text);
    },
  );

  it('writes no value into the example', () => {
    const files = new FilesInMemory({ '.env.example': 'A=\n' });
    addVariables(files, '.env', [SECRET]);
    expect(files.texts.get('.env.example')).toBe('A=\n# what for\nSECRET=\n');
    addVariables(files, '.env', [SECRET]);
    expect(files.texts.get('.env.example')).toBe('A=\n# what for\nSECRET=\n');
  });

  it('finds a value', () => {
    expect(valueOf('A=1\r\nB = two \n', 'B')).toBe('two');
    expect(valueOf('A=\nB=1', 'A')).toBeUndefined();
    expect(valueOf(undefined, 'A')).toBeUndefined();
  });
});

describe('ignoreEnvFile', () => {
  it.each([
    [undefined, '.env\n'],
    ['dist\n', 'dist\n.env\n'],
    ['dist', 'dist\n.env\n'],
    ['# .env\n!.env\n', '# .env\n!.env\n.env\n'],
    ['.env*\n!.env\n', '.env*\n!.env\n.env\n'],
    ['.env.local\n', '.env.local\n.env\n'],
    ['dist\r\n', 'dist\r\n.env\r\n'],
  ])('adds to %j', (before, after) => {
    const files = new FilesInMemory(before === undefined ? {} : { '.gitignore': before });
    ignoreEnvFile(files, '.env');
    expect(files.texts.get('.gitignore')).toBe(after);
  });

  it.each(['.env', '/.env\n', '**/.env\n', '*.env\r\ndist\r\n', '.env*\n'])('leaves %j alone', (text) => {
    const files = new FilesInMemory({ '.gitignore': text });
    ignoreEnvFile(files, '.env');
    expect(files.texts.get('.gitignore')).toBe(text);
  });
});
