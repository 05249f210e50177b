import { afterAll } from '@jest/globals';
import { endFile } from './file-end.js';

afterAll(() => endFile());
