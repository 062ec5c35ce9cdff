/** Whole files as annexes: FHIR bundles, JSON and XML with byte order marks, DICOM images. */

import { expect, it } from 'vitest';
import { openAnnex, openAnnexRange, sealAnnex } from '../../src/views/index.ts';
import { bytesOf, names, same, sourceOf, streamOf, treeOf } from '../views/annex-fixture.ts';
import { describeCorpus } from './corpora.ts';

describeCorpus('fhir', (corpus) => {
  it('every file comes back byte for byte, whole and by its second half', async () => {
    const files = corpus.files('.').map((file) => file.replace(/^\.\//, ''));
    expect(files.filter((file) => file.endsWith('.dcm'))).toHaveLength(4);
    expect(files.length).toBeGreaterThanOrEqual(50);
    for (const file of files) {
      const bytes = corpus.bytes(file);
      const sealed = sealAnnex(streamOf(bytes, [1, 100_000]), {
        ...names,
        mediaType: 'application/octet-stream',
      });
      const ciphertext = await bytesOf(sealed.ciphertext);
      const annex = await sealed.annex;
      expect(same(await bytesOf(openAnnex(streamOf(ciphertext), annex, names)), bytes), file).toBe(true);
      const source = sourceOf({ ciphertext, tree: treeOf(ciphertext) });
      const offset = Math.floor(bytes.length / 2);
      const range = { ...names, offset, length: bytes.length - offset };
      expect(same(await bytesOf(openAnnexRange(source, annex, range)), bytes.subarray(offset)), file).toBe(
        true,
      );
    }
  });
});
