// Generates lib/formats/onnx/onnx_pb.ts from onnx.proto with @bufbuild/protobuf's own compiler plugin.
// The tools are not dependencies of the project: npm fetches them into a temporary folder and they are removed again.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../lib/formats/onnx');
const work = mkdtempSync(path.join(os.tmpdir(), 'lowp-proto-'));
const run = (command, ...args) => execFileSync(command, args, { cwd: work, stdio: 'inherit' });
try {
  writeFileSync(path.join(work, 'package.json'), '{ "private": true }');
  run('npm', 'install', '--no-save', '--silent', '@bufbuild/buf@1', '@bufbuild/protoc-gen-es@2');
  copyFileSync(path.join(folder, 'onnx.proto'), path.join(work, 'onnx.proto'));
  writeFileSync(path.join(work, 'buf.yaml'), 'version: v2\n');
  const plugin = { local: './node_modules/.bin/protoc-gen-es', out: '.', opt: ['target=ts', 'import_extension=none'] };
  writeFileSync(path.join(work, 'buf.gen.yaml'), JSON.stringify({ version: 'v2', plugins: [plugin] }));
  run(path.join(work, 'node_modules/.bin/buf'), 'generate');
  copyFileSync(path.join(work, 'onnx_pb.ts'), path.join(folder, 'onnx_pb.ts'));
} finally {
  rmSync(work, { recursive: true, force: true });
}
