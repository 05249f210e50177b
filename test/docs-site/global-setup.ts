// Jest loads this file outside its module system: Node resolves the imports, hence the `.ts` endings.
import { provisionChromium } from '../support/chromium-provision.ts';

export default async function globalSetup(): Promise<void> {
  process.env['TEST_CHROMIUM_PATH'] = await provisionChromium((line) => void process.stderr.write(`${line}\n`));
}
