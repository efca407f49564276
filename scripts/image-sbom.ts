// What the image is made of, as CycloneDX JSON: the packages npm lists (its `npm sbom`, given by file), Node itself, and
// Debian's packages. Run where the image is built: `node scripts/image-sbom.ts PACKAGES.json > sbom.cdx.json`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Component {
  type: string;
  name: string;
  version: string;
  purl: string;
  'bom-ref': string;
}

const component = (type: string, name: string, version: string, purl: string): Component => ({
  type,
  name,
  version,
  purl,
  'bom-ref': purl,
});

/** `NAME<tab>VERSION<tab>ARCHITECTURE` of every installed package. */
function debianPackages(): Component[] {
  const lines = execFileSync('dpkg-query', ['-W', '-f', '${Package}\t${Version}\t${Architecture}\n'], {
    encoding: 'utf8',
  });
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = '', architecture = ''] = line.split('\t');
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
      return component('library', name, version, purl);
    });
}

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node scripts/image-sbom.ts PACKAGES.json');
const bom = JSON.parse(readFileSync(file, 'utf8')) as { components: Component[] };
const version = process.versions.node;
const node = component('platform', 'node', version, `pkg:generic/node@${version}`);
const components = [...bom.components, node, ...debianPackages()];
process.stdout.write(`${JSON.stringify({ ...bom, components }, null, 2)}\n`);
