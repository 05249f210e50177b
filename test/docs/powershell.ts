/**
 * Returns lines of PowerShell as lines of bash, so that their requests can be made on every machine. Translates only
 * what the guides use.
 */
export function bashOf(powershell: string): string {
  return powershell
    .replaceAll('curl.exe', 'curl')
    .replaceAll('Copy-Item', 'cp')
    .replace(/(^|\()('[^']*') \| /gm, '$1printf %s $2 | ')
    .replace(
      /^\$(\w+) = \((.*) \| ConvertFrom-Json\)\.(\w+)$/gm,
      '$1=$$($2 | node -p "JSON.parse(fs.readFileSync(0)).$3")',
    );
}
