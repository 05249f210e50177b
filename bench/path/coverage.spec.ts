import { describe, expect, it } from '@jest/globals';
import type { Profiler } from 'node:inspector';
import { commonPath, lineOf } from './coverage.ts';

const ROOT = 'file:///library/dist/';

type Counted = readonly [name: string, from: number, count: number];

function script(file: string, ...functions: readonly Counted[]): Profiler.ScriptCoverage {
  return {
    scriptId: file,
    url: file,
    functions: functions.map(([functionName, startOffset, count]) => ({
      functionName,
      isBlockCoverage: false,
      ranges: [{ startOffset, endOffset: startOffset + 10, count }],
    })),
  };
}

describe('the path of a request', () => {
  it('has the named functions that ran, file by file, in the order of the source', () => {
    const sample = [
      script(`${ROOT}session/session.js`, ['get id', 40, 2], ['Session', 20, 1]),
      script(`${ROOT}http/exchange.js`, ['vary', 10, 1]),
    ];
    const path = commonPath([sample], ROOT);
    expect([...path]).toEqual([
      ['http/exchange.js', ['vary']],
      ['session/session.js', ['Session', 'get id']],
    ]);
    expect(lineOf('guarded GET', path)).toBe('guarded GET: 2 files, 3 functions');
  });

  it('leaves out what did not run and what is no part of the library', () => {
    const sample = [
      script(`${ROOT}session/session.js`, ['Session', 20, 1], ['toJSON', 60, 0]),
      script(`${ROOT}index.js`, ['unused', 0, 0]),
      script('file:///library/node_modules/ms/index.js', ['ms', 0, 3]),
      script('node:internal/timers', ['listOnTimeout', 0, 3]),
    ];
    expect([...commonPath([sample], ROOT)]).toEqual([['session/session.js', ['Session']]]);
  });

  it('counts a file of which only an anonymous function ran, and not the function', () => {
    const path = commonPath([[script(`${ROOT}csrf/origin.js`, ['', 5, 1])]], ROOT);
    expect(lineOf('login', path)).toBe('login: 1 files, 0 functions');
  });

  it('tells functions of one name apart', () => {
    const path = commonPath([[script(`${ROOT}a.js`, ['constructor', 5, 1], ['constructor', 50, 1])]], ROOT);
    expect(lineOf('login', path)).toBe('login: 1 files, 2 functions');
  });

  it('leaves out what only some requests ran, such as a timer’s function', () => {
    const usual = script(`${ROOT}a.js`, ['find', 5, 1]);
    const timer = script(`${ROOT}timer.js`, ['expire', 5, 1]);
    expect([...commonPath([[usual, timer], [usual], [timer, usual]], ROOT)]).toEqual([['a.js', ['find']]]);
  });
});
