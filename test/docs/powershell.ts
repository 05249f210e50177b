/**
 * The lines of PowerShell in the guides as lines of bash, so that their requests can be made on every machine. Only what
 * the guides use is translated.
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
