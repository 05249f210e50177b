import { testPackageWithNest } from './package-with-nest.js';

testPackageWithNest(11);
