import { stopTestServices } from './test-services.ts';

export default stopTestServices;
