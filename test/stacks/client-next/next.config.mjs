export { default } from './examples/client-next/next.config.js';
