// What the image is made of, as CycloneDX JSON: the packages npm lists (its `npm sbom`, given by file), Node itself, and
// Debian's packages. Run where the image is built: `node tools/image-sbom.ts PACKAGES.json > sbom.cdx.json`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Component {
  type: string;
  name: string;
  version: string;
  purl: string;
  'bom-ref': string;
  externalReferences?: { url: string }[];
}

interface Bom {
  metadata: { component: Component };
  components: Component[];
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

/** Some packages name their repository as ssh does (`git@host:path`), which is no URL: the whole list would be invalid. */
const withUrls = (one: Component): Component => ({
  ...one,
  ...(one.externalReferences && { externalReferences: one.externalReferences.filter(({ url }) => URL.canParse(url)) }),
});

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node tools/image-sbom.ts PACKAGES.json');
const bom = JSON.parse(readFileSync(file, 'utf8')) as Bom;
const version = process.versions.node;
const node = component('platform', 'node', version, `pkg:generic/node@${version}`);
const components = [...bom.components.map(withUrls), node, ...debianPackages()];
// npm calls it after the directory it lies in.
const metadata = { ...bom.metadata, component: { ...bom.metadata.component, name: 'oms' } };
process.stdout.write(`${JSON.stringify({ ...bom, metadata, components }, null, 2)}\n`);
